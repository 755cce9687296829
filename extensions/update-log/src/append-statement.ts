import type pg from 'pg';
import type { PendingRow } from './rows.ts';

/** One document's part of a batch. The same in every attempt, so that an earlier one can be recognised. */
export interface DocumentBatch {
  readonly document: number;
  readonly epoch: number;
  /** The newest seq known before the first attempt. */
  readonly known: number;
  readonly policyRev: number;
  /** A UUID that no other part has. */
  readonly batch: string;
  readonly rows: readonly PendingRow[];
}

/**
 * The common case, one row for one document whose head was guessed right, without the function: a quarter of its CPU.
 * It asks for the head to be exactly the guessed one. Every attempt guesses the same, so no earlier one can have
 * succeeded, and nothing has to be searched. Finds no row for every other case; the function then says which it is.
 */
const TEXT_ONE = `WITH advanced AS (
    UPDATE documents SET head = head + 1, bytes = bytes + $11, updated_at = clock_timestamp()
    WHERE id = $1 AND epoch = $2 AND head = $3 AND policy_rev = $4 AND current_setting('synchronous_commit') <> 'off'
    RETURNING id, head, policy_rev, updated_at)
  INSERT INTO document_updates (document_id, seq, at, policy_rev, batch, kind, actor, session, instance, update)
  SELECT id, head, updated_at, policy_rev, $5, $6, $7, $8, $9, $10 FROM advanced
  RETURNING seq, at`;

export interface GuessedBatch extends DocumentBatch {
  readonly row: PendingRow;
  readonly guess: number;
}

export function appendOneStatement(part: GuessedBatch, instance: string): pg.QueryConfig {
  const { row } = part;
  return {
    name: 'weft_append_one',
    text: TEXT_ONE,
    values: [
      part.document,
      part.epoch,
      part.guess,
      part.policyRev,
      part.batch,
      row.kind,
      row.actor,
      row.session,
      instance,
      row.update,
      row.update.byteLength,
    ],
  };
}

/** `undefined`: it was not the common case. */
export function readOutcome(result: pg.QueryResult): AppendOutcome | undefined {
  const row = (result.rows as { seq: string; at: Date }[])[0];
  return row && { outcome: 'appended', firstSeq: Number(row.seq), at: row.at };
}

/** What became of one document's part. See `weft_append` in sql/0100_update_log.sql. */
export type AppendOutcome =
  | { readonly outcome: 'appended' | 'found'; readonly firstSeq: number; readonly at: Date }
  | { readonly outcome: 'stale'; readonly policyRev: number }
  | { readonly outcome: 'reload' }
  | { readonly outcome: 'deleted' };

interface ResultRow {
  readonly id: string;
  readonly outcome: AppendOutcome['outcome'];
  readonly policy_rev: string | null;
  readonly first_seq: string | null;
  readonly at: Date | null;
}

const TEXT = `SELECT id, outcome, policy_rev, first_seq, at
  FROM weft_append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`;

/**
 * The whole batch as one statement. All updates travel as one binary value, cut apart on the server: as an array
 * they would be written out in hexadecimal, twice the bytes and an escape for each.
 */
export function appendStatement(batch: readonly DocumentBatch[], instance: string): pg.QueryConfig {
  const parts = batch.toSorted((a, b) => a.document - b.document);
  const rows = placeRows(parts);
  return {
    name: 'weft_append',
    text: TEXT,
    values: [
      parts.map((part) => part.document),
      parts.map((part) => part.epoch),
      parts.map((part) => part.known),
      parts.map((part) => part.policyRev),
      parts.map((part) => part.batch),
      parts.map((part) => part.rows.length),
      parts.map((part) => part.rows.reduce((sum, row) => sum + row.update.byteLength, 0)),
      rows.map(({ part }) => part),
      rows.map(({ place }) => place),
      rows.map(({ start }) => start),
      rows.map(({ row }) => row.update.byteLength),
      rows.map(({ row }) => row.kind),
      rows.map(({ row }) => row.actor),
      rows.map(({ row }) => row.session),
      instance,
      Buffer.concat(rows.map(({ row }) => row.update)),
    ],
  };
}

interface PlacedRow {
  readonly row: PendingRow;
  /** Counted from 1, as SQL does. */
  readonly part: number;
  readonly place: number;
  /** Of its bytes; counted from 1. */
  readonly start: number;
}

function placeRows(parts: readonly DocumentBatch[]): PlacedRow[] {
  let start = 1;
  return parts.flatMap(({ rows }, index) =>
    rows.map((row, place) => {
      const placed = { row, part: index + 1, place, start };
      start += row.update.byteLength;
      return placed;
    }),
  );
}

export function readOutcomes(result: pg.QueryResult): Map<number, AppendOutcome> {
  return new Map((result.rows as ResultRow[]).map((row) => [Number(row.id), toOutcome(row)]));
}

function toOutcome(row: ResultRow): AppendOutcome {
  switch (row.outcome) {
    case 'appended':
    case 'found':
      return {
        outcome: row.outcome,
        firstSeq: Number(row.first_seq),
        at: row.at ?? new Date(0),
      };
    case 'stale':
      return { outcome: 'stale', policyRev: Number(row.policy_rev) };
    case 'reload':
    case 'deleted':
      return { outcome: row.outcome };
  }
}
