import {
  WeftError,
  nameOf,
  tenantOf,
  type CommittedUpdate,
  type DocumentKey,
  type UpdateKind,
} from '@weft/common';
import type { DocumentMode, Queryable } from './types.ts';

/** Milliseconds that the first epoch of a document and its creation may be apart. */
const SAME_MOMENT = 1_000;

/** A document's place in the log. */
export interface DocumentPosition {
  readonly id: number;
  readonly epoch: number;
  readonly createdAt: Date;
  /** Its history is not the one that it began with: the database was put back once. */
  readonly renewed: boolean;
  readonly head: number;
  readonly policyRev: number;
  readonly mode: DocumentMode;
  readonly prunedSeq: number;
  readonly snapshotSeq: number;
}

export interface PageLimits {
  readonly rows: number;
  readonly bytes: number;
}

/** Which rows: those after a seq, as many as fit. */
export interface RowsAfter extends PageLimits {
  readonly after: number;
}

interface PositionRow {
  readonly id: string;
  readonly epoch: string;
  readonly created_at: Date;
  readonly renewed: boolean;
  readonly head: string;
  readonly policy_rev: string;
  readonly mode: DocumentMode;
  readonly pruned_seq: string;
  readonly snapshot_seq: string | null;
  readonly state: Buffer | null;
}

export interface UpdateRow {
  readonly seq: string;
  readonly at: Date;
  readonly policy_rev: string;
  readonly kind: UpdateKind;
  readonly actor: string;
  readonly session: string;
  readonly instance: string;
  readonly update: Buffer;
}

interface PackedRow {
  readonly first: string;
  readonly last: string;
  readonly rows: string;
  readonly bytes: string;
  /** Without rows there is nothing. */
  readonly packed: Buffer | null;
}

/** Updates one after the other, each behind its length: see `unpack`. */
export interface PackedRows {
  readonly first: number;
  readonly last: number;
  readonly rows: number;
  readonly bytes: number;
  readonly packed: Uint8Array;
}

/** @throws WeftError `document-not-found` */
export async function readPosition(
  db: Queryable,
  key: DocumentKey,
  what: 'with-state' | 'without-state',
): Promise<{ position: DocumentPosition; state: Uint8Array | undefined }> {
  const { rows } = await db.query<PositionRow>({
    name: `weft_position_${what}`,
    text: `SELECT d.id, d.epoch, d.created_at, d.epoch > extract(epoch FROM d.created_at) * 1000 + ${SAME_MOMENT} AS renewed,
             d.head, d.policy_rev, d.mode, d.pruned_seq, s.seq AS snapshot_seq,
             ${what === 'with-state' ? 's.state' : 'NULL::bytea AS state'}
           FROM documents d LEFT JOIN LATERAL (
             SELECT seq, state FROM document_snapshots
             WHERE document_id = d.id AND seq <= d.head ORDER BY seq DESC LIMIT 1
           ) s ON true
           WHERE d.tenant = $1 AND d.name = $2`,
    values: [tenantOf(key), nameOf(key)],
  });
  const row = rows[0];
  if (!row) throw new WeftError('document-not-found');
  const position = {
    id: Number(row.id),
    epoch: Number(row.epoch),
    createdAt: row.created_at,
    renewed: row.renewed,
    head: Number(row.head),
    policyRev: Number(row.policy_rev),
    mode: row.mode,
    prunedSeq: Number(row.pruned_seq),
    snapshotSeq: Number(row.snapshot_seq ?? 0),
  };
  return { position, state: row.state ?? undefined };
}

/** As {@link readRows}, but only the updates, and as one value: what nobody here looks at need not become objects. */
export async function readPackedRows(
  db: Queryable,
  documentId: number,
  page: RowsAfter,
): Promise<PackedRows | undefined> {
  const { rows } = await db.query<PackedRow>({
    name: 'weft_packed_rows',
    text: `SELECT min(seq) AS first, max(seq) AS last, count(*) AS rows, sum(octet_length(update)) AS bytes,
             string_agg(int4send(octet_length(update)) || update, ''::bytea ORDER BY seq) AS packed
           FROM (
             SELECT seq, update, sum(octet_length(update)) OVER (ORDER BY seq) - octet_length(update) AS before
             FROM (
               SELECT seq, update FROM document_updates WHERE document_id = $1 AND seq > $2 ORDER BY seq LIMIT $3
             ) page
           ) u
           WHERE u.before < $4`,
    values: [documentId, page.after, page.rows, page.bytes],
  });
  const row = rows[0];
  if (!row?.packed) return undefined;
  return {
    first: Number(row.first),
    last: Number(row.last),
    rows: Number(row.rows),
    bytes: Number(row.bytes),
    packed: row.packed,
  };
}

/** At least one row, when there is one, then as many as fit. */
export async function readRows(
  db: Queryable,
  key: DocumentKey,
  { id, epoch }: Pick<DocumentPosition, 'id' | 'epoch'>,
  page: RowsAfter,
): Promise<CommittedUpdate[]> {
  const { rows } = await db.query<UpdateRow>({
    name: 'weft_rows',
    text: `SELECT u.seq, u.at, u.policy_rev, u.kind, u.actor, u.session, u.instance, u.update
           FROM (
             SELECT *, sum(octet_length(update)) OVER (ORDER BY seq) - octet_length(update) AS before
             FROM (SELECT * FROM document_updates WHERE document_id = $1 AND seq > $2 ORDER BY seq LIMIT $3) page
           ) u
           WHERE u.before < $4 ORDER BY u.seq`,
    values: [id, page.after, page.rows, page.bytes],
  });
  return rows.map((row) => ({
    document: key,
    epoch,
    seq: Number(row.seq),
    actor: row.actor,
    session: row.session,
    instance: row.instance,
    kind: row.kind,
    policyRev: Number(row.policy_rev),
    at: row.at,
    update: row.update,
  }));
}
