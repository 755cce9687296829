export interface WorkerOptions {
  readonly dataDir: string;
  /** `undefined`: a port of loopback, where there are no Unix sockets. */
  readonly socketPath: string | undefined;
  readonly secret: string;
  readonly idleInTransactionMs: number;
  readonly checkpointIntervalMs: number;
  readonly checkpointBytes: number;
}

export type ToWorker = { readonly type: 'ping' } | { readonly type: 'close' };

export type FromWorker =
  | { readonly type: 'listening'; readonly port: number }
  | { readonly type: 'pong' }
  | { readonly type: 'trouble'; readonly message: string };
