/** Bytes of a message that the servers of a storm take. */
export const MAX_FRAME = 256 * 1024;

/** Seconds that it blows; `WEFT_STORM_SECONDS` for a longer search by hand. */
export const SECONDS = Number(process.env.WEFT_STORM_SECONDS ?? 8);

/** Options of a server in a storm. */
export const STORM_ENVIRONMENT = {
  // All that is logged then is a mistake of the server's own. `WEFT_STORM_LOG=info` to read what led to a failure.
  WEFT_LOG_LEVEL: process.env.WEFT_STORM_LOG ?? 'error',
  WEFT_MAX_FRAME: String(MAX_FRAME),
  // What hostile people send counts as it would elsewhere.
  WEFT_UPDATE_RATE: '',
  // What nobody brings back is not waited for longer than the storm lasts.
  WEFT_CARRIED_GRACE: '2s',
  WEFT_DRAIN_SPREAD: '0s',
} as const;
