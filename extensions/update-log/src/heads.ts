import { WeftError } from '@weft/common';
import { milliseconds } from './append-statement.ts';
import type { DatabaseIdentity, Witnesses } from './database-lineage.ts';
import type { DocumentHead, DocumentMode, Queryable } from './types.ts';

export interface Heads {
  readonly database: DatabaseIdentity;
  readonly heads: Map<number, DocumentHead>;
  /** When the rows asked for were committed, by document, in milliseconds since 1970; without those not kept. */
  readonly committedAt: Map<number, number>;
}

interface HeadRow {
  readonly database: string;
  readonly generation: string;
  readonly id: string | null;
  readonly epoch: string;
  readonly head: string;
  readonly policy_rev: string;
  readonly mode: DocumentMode;
  readonly at: string | null;
}

/**
 * Where documents and those of the witnesses stand, and in which database, as of one moment.
 * @throws WeftError `log-unavailable` while a restore has not brought the database's identity yet: its documents
 * only seem to be deleted
 */
export async function readHeads(db: Queryable, ids: readonly number[], witnesses: Witnesses): Promise<Heads> {
  const dated = [...witnesses].filter(([, { at }]) => at !== undefined);
  const { rows } = await db.query<HeadRow>({
    name: 'weft_heads',
    text: `SELECT w.id AS database, w.generation, d.id, d.epoch, d.head, d.policy_rev, d.mode, ${milliseconds('u.at')} AS at
           FROM weft_database w
             LEFT JOIN documents d ON d.id = ANY ($1)
             LEFT JOIN unnest($2::bigint[], $3::bigint[]) AS k (id, seq) ON k.id = d.id
             LEFT JOIN document_updates u ON u.document_id = k.id AND u.seq = k.seq`,
    values: [
      [...new Set([...ids, ...witnesses.keys()])],
      dated.map(([id]) => id),
      dated.map(([, { seq }]) => seq),
    ],
  });
  const [first] = rows;
  if (!first) throw new WeftError('log-unavailable', { detail: 'the database has no identity' });
  const heads = new Map<number, DocumentHead>();
  const committedAt = new Map<number, number>();
  for (const { id, epoch, head, policy_rev: policyRev, mode, at } of rows) {
    if (id === null) continue;
    if (at !== null) committedAt.set(Number(id), Number(at));
    heads.set(Number(id), { epoch: Number(epoch), head: Number(head), policyRev: Number(policyRev), mode });
  }
  return { database: { id: first.database, generation: Number(first.generation) }, heads, committedAt };
}
