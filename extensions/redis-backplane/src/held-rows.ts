import type { CommittedUpdate } from '@weft/common';

const ROW_OVERHEAD_BYTES = 256;

/** Rows of a document that wait for those before them, bounded: beyond it all are dropped, to be read from the log. */
export class HeldRows {
  private readonly maxBytes: number;
  private readonly rows = new Map<number, CommittedUpdate>();
  private heldBytes = 0;
  private hasOverflowed = false;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.heldBytes;
  }

  /** More than the bound, which only the row that is next may bring about. */
  get isOverfull(): boolean {
    return this.heldBytes > this.maxBytes;
  }

  /** Whether rows have ever been dropped. */
  get overflowed(): boolean {
    return this.hasOverflowed;
  }

  /** @param next the seq that nothing has to be waited for */
  add(row: CommittedUpdate, next: number): void {
    if (this.rows.get(row.seq)?.epoch === row.epoch) return;
    this.take(row.seq);
    this.rows.set(row.seq, row);
    this.heldBytes += sizeOf(row);
    if (!this.isOverfull || row.seq === next) return;
    this.clear();
    this.hasOverflowed = true;
  }

  take(seq: number): CommittedUpdate | undefined {
    const row = this.rows.get(seq);
    if (!row) return undefined;
    this.rows.delete(seq);
    this.heldBytes -= sizeOf(row);
    return row;
  }

  all(): CommittedUpdate[] {
    return [...this.rows.values()];
  }

  clear(): void {
    this.rows.clear();
    this.heldBytes = 0;
  }
}

function sizeOf({ update }: CommittedUpdate): number {
  return update.length + ROW_OVERHEAD_BYTES;
}
