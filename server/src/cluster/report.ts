import { z } from 'zod';

const count = z.int().nonnegative();
const amount = z.number().nonnegative();

const documentReport = z.object({
  /** `tenant/name`. */
  key: z.string(),
  sessions: count,
  epoch: count,
  /** The last row that is in this instance's memory. */
  seq: count,
  /** The newest row of the log, asked right before `seq` was read; null while the log cannot be asked. */
  head: count.nullable(),
});

/** What an instance says of itself. Read from Redis, so it is checked like anything else from outside. */
export const instanceReport = z.object({
  id: z.string().max(64),
  version: z.string(),
  /** Milliseconds since 1970, by the instance's own clock. */
  startedAt: amount,
  state: z.enum(['ready', 'degraded', 'draining']),
  redis: z.enum(['none', 'connected', 'away']),
  connections: count,
  sessions: count,
  documents: count,
  /** Of the last ten seconds, like the commits. */
  updatesPerSecond: amount,
  /** Milliseconds; null when nothing was committed. */
  commitP50: amount.nullable(),
  commitP99: amount.nullable(),
  /** Rows that are in the log and not in memory, of the document that is furthest behind. */
  lag: count.nullable(),
  /** Share of one core. */
  cpu: amount,
  memoryBytes: count,
  /** Those with the most sessions. */
  open: z.array(documentReport),
});

export type InstanceReport = z.infer<typeof instanceReport>;
export type DocumentReport = z.infer<typeof documentReport>;

/** Documents in one report: bounds what is sent, whatever is open. */
export const MAX_REPORTED_DOCUMENTS = 200;

/** @returns `undefined` for anything that is not a report */
export function parseReport(text: string): InstanceReport | undefined {
  try {
    return instanceReport.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
