import type { CommittedUpdate } from '@weft/common';
import type { GatewayCore } from './core.ts';
import type { LiveDocument } from './live-document.ts';

/** Keeps the open documents of this instance at the head of the log, which other instances write too. */
export class Replication {
  private readonly core: GatewayCore;

  constructor(core: GatewayCore) {
    this.core = core;
  }

  start(): void {}
  async stop(): Promise<void> {}
  async join(_live: LiveDocument): Promise<void> {}
  opened(_live: LiveDocument): void {}
  leave(_live: LiveDocument): void {}
  committed(_live: LiveDocument, _rows: readonly CommittedUpdate[]): void {}
  async catchUp(_live: LiveDocument): Promise<void> {}
  publishAwareness(_live: LiveDocument, _bytes: Uint8Array): void {}
}
