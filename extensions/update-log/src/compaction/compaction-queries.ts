import { documentKey, inTransaction, type DocumentKey } from '@weft/common';
import type pg from 'pg';
import type { Queryable } from '../types.ts';

export interface Candidate {
  readonly id: number;
  readonly key: DocumentKey;
}

interface CandidateRow {
  readonly id: string;
  readonly tenant: string;
  readonly name: string;
}

function toCandidate({ id, tenant, name }: CandidateRow): Candidate {
  return { id: Number(id), key: documentKey(tenant, name) };
}

/** Documents that have grown by so much since their snapshot. Reads the whole table: a row each, no content. */
export async function documentsToCompact(
  db: Queryable,
  { rows: minRows, bytes: minBytes, limit }: { rows: number; bytes: number; limit: number },
): Promise<Candidate[]> {
  const { rows } = await db.query<CandidateRow>(
    `SELECT id, tenant, name FROM documents
     WHERE head - snapshot_seq >= $1 OR (bytes - snapshot_bytes >= $2 AND head > snapshot_seq)
     ORDER BY head - snapshot_seq DESC LIMIT $3`,
    [minRows, minBytes, limit],
  );
  return rows.map(toCandidate);
}

export interface Retention {
  /** The newest so many rows stay. */
  readonly rows?: number | undefined;
  /** Rows stay for so many milliseconds. */
  readonly ms?: number | undefined;
}

/** Documents whose oldest row may go. */
export async function documentsToPrune(
  db: Queryable,
  { retention, limit }: { retention: Retention; limit: number },
): Promise<Candidate[]> {
  const { rows } = await db.query<CandidateRow>(
    `SELECT d.id, d.tenant, d.name FROM documents d
     JOIN document_updates u ON u.document_id = d.id AND u.seq = d.pruned_seq + 1
     WHERE d.pruned_seq < d.snapshot_seq AND u.seq <= d.head - $1 AND u.at < ${horizon('$2')}
       AND u.seq <= (SELECT min(seq) FROM document_snapshots s WHERE s.document_id = d.id)
     LIMIT $3`,
    [retention.rows ?? 0, age(retention), limit],
  );
  return rows.map(toCandidate);
}

/**
 * Stores a snapshot and makes it the document's newest. `false`: the document is not the one it was built from any
 * more, and nothing is stored. The document's row is touched last and alone, so that an append waits for no more
 * than that.
 */
export async function storeSnapshot(
  db: Queryable,
  snapshot: { id: number; epoch: number; seq: number; state: Uint8Array; bytes: number },
): Promise<boolean> {
  const { id, epoch, seq, state, bytes } = snapshot;
  await db.query(
    `INSERT INTO document_snapshots (document_id, seq, state) VALUES ($1, $2, $3)
     ON CONFLICT (document_id, seq) DO NOTHING`,
    [id, seq, state],
  );
  const { rowCount } = await db.query(
    `UPDATE documents SET snapshot_seq = $3, snapshot_bytes = snapshot_bytes + $4
     WHERE id = $1 AND epoch = $2 AND snapshot_seq < $3 AND head >= $3`,
    [id, epoch, seq, bytes],
  );
  if (rowCount === 1) return true;
  await db.query(
    `DELETE FROM document_snapshots WHERE document_id = $1 AND seq = $2
     AND NOT EXISTS (SELECT FROM documents WHERE id = $1 AND epoch = $3 AND snapshot_seq >= $2)`,
    [id, seq, epoch],
  );
  return false;
}

export async function dropOldSnapshots(db: Queryable, id: number, keep: number): Promise<void> {
  await db.query(
    `DELETE FROM document_snapshots WHERE document_id = $1 AND seq < (
       SELECT min(seq) FROM (
         SELECT seq FROM document_snapshots WHERE document_id = $1 ORDER BY seq DESC LIMIT $2) kept)`,
    [id, keep],
  );
}

/**
 * Deletes the oldest rows that retention lets go, at most `limit`, never one that the oldest snapshot does not hold:
 * each snapshot that is kept can be read on from. Returns how many.
 */
export async function pruneRows(
  client: pg.ClientBase,
  { id, retention, limit }: { id: number; retention: Retention; limit: number },
): Promise<number> {
  await client.query('BEGIN');
  try {
    const { rows } = await client.query<{ seq: string }>(
      `WITH bounds AS (
         SELECT least((SELECT min(seq) FROM document_snapshots WHERE document_id = $1),
                      (SELECT head FROM documents WHERE id = $1) - $2) AS upto
       ), oldest AS (
         SELECT seq, at FROM document_updates, bounds
         WHERE document_id = $1 AND seq <= bounds.upto ORDER BY seq LIMIT $4
       ), gone AS (
         SELECT seq FROM oldest
         WHERE seq < coalesce((SELECT min(seq) FROM oldest WHERE at >= ${horizon('$3')}), 9223372036854775807)
       )
       DELETE FROM document_updates WHERE document_id = $1 AND seq IN (SELECT seq FROM gone) RETURNING seq`,
      [id, retention.rows ?? 0, age(retention), limit],
    );
    const last = rows.reduce((highest, { seq }) => Math.max(highest, Number(seq)), 0);
    if (last > 0) {
      await client.query('UPDATE documents SET pruned_seq = greatest(pruned_seq, $2) WHERE id = $1', [
        id,
        last,
      ]);
    }
    await client.query('COMMIT');
    return rows.length;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

/**
 * Deletes rows and snapshots of a document that is gone, at most `limit` rows. Resolves to whether some may be left that
 * nobody else is at. The lock is taken before the rows are looked at: who finds those gone that another is deleting would
 * take them for the last ones, and the rest would stay for ever.
 */
export function reap(pool: pg.Pool, limit: number): Promise<boolean> {
  return inTransaction(
    () => pool.connect(),
    async (tx) => {
      const { rows } = await tx.query<{ document_id: string }>(
        'SELECT document_id FROM document_removals ORDER BY removed_at LIMIT 1 FOR UPDATE SKIP LOCKED',
      );
      const id = rows[0]?.document_id;
      if (id === undefined) return false;
      const { rowCount } = await tx.query(
        `DELETE FROM document_updates WHERE document_id = $1 AND seq IN (
           SELECT seq FROM document_updates WHERE document_id = $1 ORDER BY seq LIMIT $2)`,
        [id, limit],
      );
      if ((rowCount ?? 0) >= limit) return true;
      await tx.query('DELETE FROM document_snapshots WHERE document_id = $1', [id]);
      await tx.query('DELETE FROM document_removals WHERE document_id = $1', [id]);
      return true;
    },
  );
}

/** By the clock of the database, which has dated the rows: an instance whose clock is wrong would delete what is to stay. */
function horizon(parameter: string): string {
  return `now() - ${parameter}::float8 * interval '1 millisecond'`;
}

/** Milliseconds. Without a limit in time every row is old enough. */
function age({ ms }: Retention): number {
  return ms ?? -60_000;
}
