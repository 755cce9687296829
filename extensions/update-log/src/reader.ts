import { WeftError, type CommittedUpdate, type Cursor, type DocumentKey } from '@weft/common';
import * as Y from 'yjs';
import {
  readPackedRows,
  readPosition,
  readRows,
  type DocumentPosition,
  type PackedRows,
  type PageLimits,
  type UpdateRow,
} from './log-queries.ts';
import type { Queryable } from './types.ts';

/** Rows fetched by one query while a document is loaded. */
const LOAD_PAGE_ROWS = 5_000;
const LOAD_PAGE_BYTES = 32 * 1024 * 1024;
/** Of updates that are handed over in one value: it is decoded in one go, which nobody's keystroke may notice. */
const PACKED_PAGE_ROWS = 5_000;
const PACKED_PAGE_BYTES = 1024 * 1024;
/** Each attempt that finds rows missing has seen a compaction pass by; they come minutes apart. */
const ATTEMPTS = 5;

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

/** A row of a history is missing, however often it is looked for. */
export class RowsMissingError extends WeftError {
  constructor(key: DocumentKey) {
    super('document-damaged', { detail: `rows of ${key} are missing` });
  }
}

/** Reads the log, whole and without gaps; keeps no state. */
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
      const { position, state } = await readPosition(this.db, key, 'with-state');
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
    const { position, state } = await readPosition(this.db, key, 'with-state');
    const pages: PackedRows[] = [];
    let [seq, rows, bytes] = [position.snapshotSeq, limits.rows, limits.bytes];
    while (seq < position.head && rows > 0 && bytes > 0) {
      const page = await readPackedRows(this.db, position.id, {
        after: seq,
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

  /** Everything up to `seq` as one update. @throws WeftError `document-damaged`; those of {@link load} */
  async state(key: DocumentKey): Promise<{ epoch: number; seq: number; update: Uint8Array }> {
    const { epoch, seq, snapshot, tail } = await this.load(key);
    const updates = tail.map(({ update }) => update);
    if (snapshot) updates.unshift(snapshot);
    const update = wholeOf(updates);
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
      const { position } = await readPosition(this.db, key, 'without-state');
      if (after) checkCursor(after, position);
      const from = after?.seq ?? position.prunedSeq;
      const rows = await readRows(this.db, key, position, { after: from, ...limits });
      if (rows.length === 0 ? position.head > from : !isGapless(rows, from)) continue;
      const last = rows.at(-1)?.seq ?? from;
      const { epoch } = position;
      return { epoch, rows, next: { epoch, seq: last }, head: Math.max(position.head, last) };
    }
    throw new RowsMissingError(key);
  }

  /** The newest rows up to `through` of a document of that epoch, in order: as many as fit, and as are kept. */
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

  /** `undefined`: rows are missing. */
  private async tail(key: DocumentKey, position: DocumentPosition): Promise<CommittedUpdate[] | undefined> {
    const tail: CommittedUpdate[] = [];
    let seq = position.snapshotSeq;
    while (seq < position.head) {
      const rows = await readRows(this.db, key, position, {
        after: seq,
        rows: LOAD_PAGE_ROWS,
        bytes: LOAD_PAGE_BYTES,
      });
      if (rows.length === 0 || !isGapless(rows, seq)) return undefined;
      for (const row of rows) tail.push(row);
      seq += rows.length;
    }
    return tail;
  }
}

export interface BeforeLimits extends PageLimits {
  readonly through: number;
}

/** A row without what it says about its author. */
export type LogRow = Pick<CommittedUpdate, 'seq' | 'at' | 'update'>;

function wholeOf(updates: readonly Uint8Array[]): Uint8Array {
  try {
    const update = updates.length === 1 && updates[0] ? updates[0] : Y.mergeUpdates([...updates]);
    if (isWhole(update)) return update;
  } catch (cause) {
    throw new WeftError('document-damaged', { cause });
  }
  throw new WeftError('document-damaged', { detail: 'edits are missing' });
}

/** Whether each author's clocks begin at 0 and have no gap. */
function isWhole(update: Uint8Array): boolean {
  const { from, to } = Y.parseUpdateMeta(update);
  // Ends at an author's first gap.
  const gapless = Y.decodeStateVector(Y.encodeStateVectorFromUpdate(update));
  return [...to].every(([client, clock]) => from.get(client) === 0 && gapless.get(client) === clock);
}

/** A reader who went on past a row that is missing would take a part of the document for all of it. */
function isGapless(rows: readonly CommittedUpdate[], after: number): boolean {
  return rows.every(({ seq }, index) => seq === after + 1 + index);
}

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
