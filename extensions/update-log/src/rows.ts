import type { UpdateKind } from '@weft/common';
import * as Y from 'yjs';
import type { AppendEntry } from './types.ts';

/** What will become one row of the log. */
export interface PendingRow {
  readonly update: Uint8Array;
  readonly actor: string;
  readonly session: string;
  readonly kind: UpdateKind;
}

/**
 * Makes rows of entries: neighbours by the same actor through the same session become one, as long as it stays
 * within `maxBytes`. Never across actors, so that each row says who wrote it. Entries without content leave none.
 */
export function toRows(entries: readonly AppendEntry[], maxBytes: number): PendingRow[] {
  const rows: PendingRow[] = [];
  let run: AppendEntry[] = [];
  let bytes = 0;
  const finish = () => {
    if (run[0]) rows.push(...mergeRun(run[0], run));
    run = [];
    bytes = 0;
  };
  for (const entry of entries) {
    if (entry.update.byteLength === 0) continue;
    const first = run[0];
    if (first && (!sameAuthor(first, entry) || bytes + entry.update.byteLength > maxBytes)) finish();
    run.push(entry);
    bytes += entry.update.byteLength;
  }
  finish();
  return rows;
}

function sameAuthor(a: AppendEntry, b: AppendEntry): boolean {
  return a.actor === b.actor && a.session === b.session && a.kind === b.kind;
}

function mergeRun({ actor, session, kind }: AppendEntry, run: readonly AppendEntry[]): PendingRow[] {
  const separate = () => run.map(({ update }) => ({ update, actor, session, kind }));
  if (run.length === 1) return separate();
  try {
    return [{ update: Y.mergeUpdates(run.map(({ update }) => update)), actor, session, kind }];
  } catch {
    // Merging decodes what was only carried so far. Bytes that it does not like are as durable unmerged.
    return separate();
  }
}
