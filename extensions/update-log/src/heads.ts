import { WeftError } from '@weft/common';
import type { DatabaseIdentity } from './database-lineage.ts';
import type { DocumentHead, DocumentMode, Queryable } from './types.ts';

export interface Heads {
  readonly database: DatabaseIdentity;
  readonly heads: Map<number, DocumentHead>;
}

interface HeadRow {
  readonly database: string;
  readonly generation: string;
  readonly id: string | null;
  readonly epoch: string;
  readonly head: string;
  readonly policy_rev: string;
  readonly mode: DocumentMode;
}

/**
 * Where documents stand, and in which database, as of one moment.
 * @throws WeftError `log-unavailable` while a restore has not brought the database's identity yet: its documents
 * only seem to be deleted
 */
export async function readHeads(db: Queryable, ids: readonly number[]): Promise<Heads> {
  const { rows } = await db.query<HeadRow>({
    name: 'weft_heads',
    text: `SELECT w.id AS database, w.generation, d.id, d.epoch, d.head, d.policy_rev, d.mode
           FROM weft_database w LEFT JOIN documents d ON d.id = ANY ($1)`,
    values: [ids],
  });
  const [first] = rows;
  if (!first) throw new WeftError('log-unavailable', { detail: 'the database has no identity' });
  const heads = new Map<number, DocumentHead>();
  for (const { id, epoch, head, policy_rev: policyRev, mode } of rows) {
    if (id === null) continue;
    heads.set(Number(id), { epoch: Number(epoch), head: Number(head), policyRev: Number(policyRev), mode });
  }
  return { database: { id: first.database, generation: Number(first.generation) }, heads };
}
