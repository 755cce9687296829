import { randomUUID } from 'node:crypto';

/** Something worth keeping: a refusal (with its `code`), or an act of somebody who manages something. */
export interface AuditEntry {
  readonly tenant: string;
  /** What was tried or done, such as `update` or `grant.put`. */
  readonly action: string;
  /** The person's `sub`, or `system`. */
  readonly actor?: string | undefined;
  /** The document's name inside the tenant. */
  readonly document?: string | undefined;
  readonly session?: string | undefined;
  /** Of the error table, when it was refused. */
  readonly code?: string | undefined;
  /** Whatever explains it; JSON of at most 4 KiB, else only its size is kept. */
  readonly detail?: object | undefined;
}

/** An entry on its way into the table. */
export interface Recorded {
  readonly id: string;
  readonly at: number;
  readonly entry: AuditEntry;
  readonly detail: string | null;
  count: number;
}

const MAX_TEXT_LENGTH = 512;
const MAX_DETAIL_BYTES = 4_096;

export function recorded(entry: AuditEntry, at: number): Recorded {
  return { id: randomUUID(), at, entry, detail: detailText(entry.detail), count: 1 };
}

/** A text holds neither NUL nor half a surrogate pair; one such would fail its whole batch. */
export function storable(text: string): string;
export function storable(text: string | undefined): string | null;
export function storable(text: string | undefined): string | null {
  return text === undefined ? null : text.slice(0, MAX_TEXT_LENGTH).toWellFormed().replaceAll('\0', '\ufffd');
}

function detailText(detail: object | undefined): string | null {
  if (detail === undefined) return null;
  try {
    const text = JSON.stringify(detail);
    const bytes = Buffer.byteLength(text);
    return bytes > MAX_DETAIL_BYTES ? JSON.stringify({ omittedBytes: bytes }) : text;
  } catch {
    // A cycle, a BigInt, a toJSON that throws: recording must not.
    return JSON.stringify({ omitted: 'not JSON' });
  }
}
