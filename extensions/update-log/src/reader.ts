import {
  WeftError,
  nameOf,
  tenantOf,
  type CommittedUpdate,
  type Cursor,
  type DocumentKey,
  type UpdateKind,
} from '@weft/common';
import * as Y from 'yjs';
import type { DocumentMode, Queryable } from './types.ts';

/** Rows fetched by one query while a document is loaded. */
const LOAD_PAGE_ROWS = 5_000;
const LOAD_PAGE_BYTES = 32 * 1024 * 1024;
/** Of updates that are handed over in one value: it is decoded in one go, which nobody's keystroke may notice. */
const PACKED_PAGE_ROWS = 5_000;
const PACKED_PAGE_BYTES = 1024 * 1024;
/** Each attempt that finds rows missing has seen a compaction pass by; they come minutes apart. */
const ATTEMPTS = 5;
/** Milliseconds that the first epoch of a document and its creation may be apart. */
const SAME_MOMENT = 1_000;

/** A document's place in the log. */
export interface DocumentPosition {
  readonly id: number;
  readonly epoch: number;
  /** Its history is not the one that it began with: the database was put back once. */
  readonly renewed: boolean;
  readonly head: number;
  readonly policyRev: number;
  readonly mode: DocumentMode;
  readonly prunedSeq: number;
  readonly snapshotSeq: number;
}

export interface StoredDocument extends DocumentPosition {
  readonly snapshot: Uint8Array | undefined;
  readonly tail: CommittedUpdate[];
  /** Of the last row of snapshot and tail; may lie past `head`, which was read before. */
  readonly seq: number;
}

/** A document and what its newest snapshot does not hold. */
export interface GrownDocument extends DocumentPosition {
  readonly snapshot: Uint8Array | undefined;
  /** One after the other, each behind its length: see `unpack`. */
  readonly updates: readonly Uint8Array[];
  /** Of the last of them. */
  readonly seq: number;
  /** That they have together. */
  readonly bytes: number;
}

export interface UpdatePage {
  readonly epoch: number;
  readonly rows: CommittedUpdate[];
  /** Read on from here. */
  readonly next: Cursor;
  readonly head: number;
}

interface PositionRow {
  readonly id: string;
  readonly epoch: string;
  readonly renewed: boolean;
  readonly head: string;
  readonly policy_rev: string;
  readonly mode: DocumentMode;
  readonly pruned_seq: string;
  readonly snapshot_seq: string | null;
  readonly state: Buffer | null;
}

interface UpdateRow {
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

interface PackedRows {
  readonly first: number;
  readonly last: number;
  readonly rows: number;
  readonly bytes: number;
  readonly packed: Uint8Array;
}

/** A row of a history is missing, however often it is looked for. */
export class RowsMissingError extends WeftError {
  constructor(key: DocumentKey) {
    super('log-unavailable', { detail: `rows of ${key} are missing` });
  }
}

/** Reads the log: queries only, no state. */
export class LogReader {
  private readonly db: Queryable;

  constructor(db: Queryable) {
    this.db = db;
  }

  /**
   * The newest snapshot and every row after it. No transaction is needed: the position is read first, the rows
   * last, and rows have no gaps, so anything that a compaction took away in between shows as a missing number.
   * @throws WeftError `document-not-found`
   */
  async load(key: DocumentKey): Promise<StoredDocument> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const { position, state } = await this.position(key, 'with-state');
      const tail = await this.tail(key, position);
      if (tail) {
        const seq = tail.at(-1)?.seq ?? position.snapshotSeq;
        return { ...position, snapshot: state, tail, seq };
      }
    }
    throw new RowsMissingError(key);
  }

  /** The newest snapshot and the updates after it, as many as fit. */
  async sinceSnapshot(key: DocumentKey, limits: PageLimits): Promise<GrownDocument> {
    const { position, state } = await this.position(key, 'with-state');
    const pages: PackedRows[] = [];
    let [seq, rows, bytes] = [position.snapshotSeq, limits.rows, limits.bytes];
    while (seq < position.head && rows > 0 && bytes > 0) {
      const page = await this.packedRows(position.id, seq, {
        rows: Math.min(rows, PACKED_PAGE_ROWS),
        bytes: Math.min(bytes, PACKED_PAGE_BYTES),
      });
      if (page?.first !== seq + 1 || page.last - seq !== page.rows) throw new RowsMissingError(key);
      pages.push(page);
      seq = page.last;
      rows -= page.rows;
      bytes -= page.bytes;
    }
    return {
      ...position,
      snapshot: state,
      updates: pages.map(({ packed }) => packed),
      seq,
      bytes: limits.bytes - bytes,
    };
  }

  /** Everything up to `seq` as one update. */
  async state(key: DocumentKey): Promise<{ epoch: number; seq: number; update: Uint8Array }> {
    const { epoch, seq, snapshot, tail } = await this.load(key);
    const updates = tail.map(({ update }) => update);
    if (snapshot) updates.unshift(snapshot);
    const update = updates.length === 1 && updates[0] ? updates[0] : Y.mergeUpdates(updates);
    return { epoch, seq, update };
  }

  /** The newest rows of other people's work that somebody brought back, as many as fit, the newest first. */
  async carried(documentId: number, limits: PageLimits): Promise<Uint8Array[]> {
    const { rows } = await this.db.query<{ update: Buffer }>({
      name: 'weft_carried',
      text: `SELECT update FROM (
               SELECT seq, update, sum(octet_length(update)) OVER (ORDER BY seq DESC) AS bytes
               FROM document_updates WHERE document_id = $1 AND kind = 'carried' ORDER BY seq DESC LIMIT $2
             ) u WHERE bytes <= $3 ORDER BY seq DESC`,
      values: [documentId, limits.rows, limits.bytes],
    });
    return rows.map(({ update }) => update);
  }

  /**
   * Rows after a cursor, in order, without a gap. Without one: from the oldest row that is kept.
   * @throws WeftError `cursor-epoch`, `cursor-pruned` with `data: {current, snapshot}`; `document-not-found`
   */
  async page(key: DocumentKey, after: Cursor | undefined, limits: PageLimits): Promise<UpdatePage> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const { position } = await this.position(key, 'without-state');
      if (after) checkCursor(after, position);
      const from = after?.seq ?? position.prunedSeq;
      const rows = await this.rows(key, position, from, limits);
      const gap = rows[0] ? rows[0].seq !== from + 1 : position.head > from;
      if (gap) continue;
      const last = rows.at(-1)?.seq ?? from;
      const { epoch } = position;
      return { epoch, rows, next: { epoch, seq: last }, head: Math.max(position.head, last) };
    }
    throw new RowsMissingError(key);
  }

  /**
   * The newest rows up to `through` of a document of that epoch, in order: as many as fit, and as are kept.
   */
  async before(
    { id, epoch }: Pick<DocumentPosition, 'id' | 'epoch'>,
    limits: BeforeLimits,
  ): Promise<LogRow[]> {
    const { rows } = await this.db.query<Pick<UpdateRow, 'seq' | 'at' | 'update'>>({
      name: 'weft_rows_before',
      text: `SELECT u.seq, u.at, u.update
             FROM (
               SELECT *, sum(octet_length(update)) OVER (ORDER BY seq DESC) AS bytes
               FROM (
                 SELECT seq, at, update FROM document_updates
                 WHERE document_id = $1 AND seq <= $2 AND EXISTS (SELECT FROM documents WHERE id = $1 AND epoch = $3)
                 ORDER BY seq DESC LIMIT $4
               ) page
             ) u
             WHERE u.bytes <= $5 ORDER BY u.seq`,
      values: [id, limits.through, epoch, limits.rows, limits.bytes],
    });
    return rows.map(({ seq, at, update }) => ({ seq: Number(seq), at, update }));
  }

  private async position(
    key: DocumentKey,
    what: 'with-state' | 'without-state',
  ): Promise<{ position: DocumentPosition; state: Uint8Array | undefined }> {
    const { rows } = await this.db.query<PositionRow>({
      name: `weft_position_${what}`,
      text: `SELECT d.id, d.epoch, d.epoch > extract(epoch FROM d.created_at) * 1000 + ${SAME_MOMENT} AS renewed,
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
      renewed: row.renewed,
      head: Number(row.head),
      policyRev: Number(row.policy_rev),
      mode: row.mode,
      prunedSeq: Number(row.pruned_seq),
      snapshotSeq: Number(row.snapshot_seq ?? 0),
    };
    return { position, state: row.state ?? undefined };
  }

  /** `undefined`: rows are missing. */
  private async tail(key: DocumentKey, position: DocumentPosition): Promise<CommittedUpdate[] | undefined> {
    const tail: CommittedUpdate[] = [];
    let seq = position.snapshotSeq;
    while (seq < position.head) {
      const rows = await this.rows(key, position, seq, { rows: LOAD_PAGE_ROWS, bytes: LOAD_PAGE_BYTES });
      if (rows[0]?.seq !== seq + 1) return undefined;
      for (const row of rows) tail.push(row);
      seq = rows.at(-1)?.seq ?? seq;
    }
    return tail;
  }

  /** As {@link rows}, but only the updates, and as one value: what nobody here looks at need not become objects. */
  private async packedRows(
    documentId: number,
    after: number,
    limits: PageLimits,
  ): Promise<PackedRows | undefined> {
    const { rows } = await this.db.query<PackedRow>({
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
      values: [documentId, after, limits.rows, limits.bytes],
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
  private async rows(
    key: DocumentKey,
    { id, epoch }: Pick<DocumentPosition, 'id' | 'epoch'>,
    after: number,
    limits: PageLimits,
  ): Promise<CommittedUpdate[]> {
    const { rows } = await this.db.query<UpdateRow>({
      name: 'weft_rows',
      text: `SELECT u.seq, u.at, u.policy_rev, u.kind, u.actor, u.session, u.instance, u.update
             FROM (
               SELECT *, sum(octet_length(update)) OVER (ORDER BY seq) - octet_length(update) AS before
               FROM (SELECT * FROM document_updates WHERE document_id = $1 AND seq > $2 ORDER BY seq LIMIT $3) page
             ) u
             WHERE u.before < $4 ORDER BY u.seq`,
      values: [id, after, limits.rows, limits.bytes],
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
}

export interface PageLimits {
  readonly rows: number;
  readonly bytes: number;
}

export interface BeforeLimits extends PageLimits {
  readonly through: number;
}

/** A row without what it says about its author. */
export type LogRow = Pick<CommittedUpdate, 'seq' | 'at' | 'update'>;

function checkCursor(after: Cursor, position: DocumentPosition): void {
  const data = {
    current: { epoch: position.epoch, seq: position.head },
    snapshot: { epoch: position.epoch, seq: position.snapshotSeq },
  };
  // A position past the end was handed out by a history that has since been put back.
  if (after.epoch !== position.epoch || after.seq > position.head)
    throw new WeftError('cursor-epoch', { data });
  if (after.seq < position.prunedSeq) throw new WeftError('cursor-pruned', { data });
}
