/** Bounds of the gateway. Sizes in bytes, times in milliseconds, rates per second. */
export interface GatewayLimits {
  /** One WebSocket message. */
  readonly frameBytes: number;
  /** One Yjs update. */
  readonly updateBytes: number;
  /** A document's updates together, above which it takes no more. */
  readonly documentBytes: number;
  readonly stateVectorBytes: number;
  readonly updatesPerSecond: number;
  readonly updateBurst: number;
  /** One presence state. */
  readonly awarenessBytes: number;
  readonly awarenessPerSecond: number;
  readonly awarenessBurst: number;
  /** Bytes that may wait for a slow reader, besides whole states. */
  readonly outboundBytes: number;
  /** Bytes of a socket's frames that may wait to be handled, before it is read no further. */
  readonly inboundQueueBytes: number;
  /** The same before any token has been accepted; above it the socket is closed. */
  readonly preAuthBytes: number;
  readonly preAuthDeadline: number;
  /** A socket without an open document. */
  readonly idleTimeout: number;
  /** Silence after which a peer is asked for a sign of life; without one for half of that it is gone. */
  readonly heartbeat: number;
  readonly documentsPerSocket: number;
  readonly connectionsPerAddress: number;
  /** Wrong or expired tokens of one address, with bursts of a minute of it. */
  readonly refusedTokensPerMinute: number;
  readonly connectionsPerPerson: number;
  /** Documents being loaded at once, and waiting for it. */
  readonly loadConcurrency: number;
  readonly loadQueue: number;
  /** How long a document that nobody has open stays in memory. */
  readonly unloadDelay: number;
  /** How long somebody whose connection broke is still shown. */
  readonly presenceGrace: number;
  /** How long frames wait to be written together, at most and per member of the document. */
  readonly joinWindow: number;
  readonly joinWindowPerReceiver: number;
  /** Share of a core, from 0 to 1, that the long searches of one person's updates may take; all together four of it. */
  readonly costlyShare: number;
  /** How long such an update waits for its share before it is refused. */
  readonly costlyPatience: number;
  /** How long carried edits wait for their author; `Infinity`: for ever. */
  readonly carriedGrace: number;
  /** Carried edits that may wait in a document. */
  readonly carriedBytes: number;
}
