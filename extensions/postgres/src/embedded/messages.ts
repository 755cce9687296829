export interface WorkerOptions {
  readonly dataDir: string;
  /** A path, or where there are no Unix sockets a port of loopback; 0 for any that is free. */
  readonly listenAt: string | number;
  readonly secret: string;
  readonly idleInTransactionMs: number;
  readonly checkpointIntervalMs: number;
  readonly checkpointBytes: number;
}

export type ToWorker = { readonly type: 'ping' } | { readonly type: 'close' };

export type FromWorker =
  | { readonly type: 'listening'; readonly port: number }
  | { readonly type: 'pong' }
  | { readonly type: 'trouble'; readonly message: string }
  | { readonly type: 'ended'; readonly reason: string };
