export interface Addressee {
  /** The encoded address its frames carry; receivers of equal address share bytes. */
  readonly address: Uint8Array;
  /** Distinguishes addresses without comparing bytes. */
  readonly addressKey: string;
}

/** One who receives what happens in a document. */
export interface Receiver extends Addressee {
  /** Whether it has been told who is here. Until then there is nothing that news could change. */
  readonly seesPresence: boolean;
  /** Queues frames or the next part of them, to be written at {@link flush}. */
  enqueue(bytes: Buffer): void;
  /** Writes everything that was queued, in one system call. */
  flush(): void;
}
