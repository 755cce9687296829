/**
 * A position in one document's history. `seq` counts committed rows 1, 2, 3 … within an `epoch`. The epoch
 * changes when the history that the numbers count is no longer the same one (the document was deleted and
 * made again, the database was restored to an older state): without it a reader would take row 90 of the new
 * history for row 90 of the old one and silently skip what came before.
 */
export interface Cursor {
  /** Milliseconds since 1970 when the history began; a safe integer, only ever compared for equality. */
  readonly epoch: number;
  /** The last row that was read; 0 before the first. */
  readonly seq: number;
}

export function formatCursor({ epoch, seq }: Cursor): string {
  return `${epoch}:${seq}`;
}

const CURSOR = /^(\d{1,16}):(\d{1,16})$/;

/** The form of {@link formatCursor}; `undefined` for anything else. */
export function parseCursor(text: string): Cursor | undefined {
  const match = CURSOR.exec(text);
  if (!match) return undefined;
  const epoch = Number(match[1]);
  const seq = Number(match[2]);
  return Number.isSafeInteger(epoch) && Number.isSafeInteger(seq) ? { epoch, seq } : undefined;
}
