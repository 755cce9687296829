import type { PreparedStatement, TextRow } from './prepared-query.ts';
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
 * The common case, one document whose head was guessed right, without the function: a quarter of its CPU for one row,
 * half for ten. It asks for the head to be exactly the guessed one. Only a first attempt guesses, so no earlier one can
 * have succeeded, and nothing has to be searched; nor can it succeed after a later one (see `disarmStatement`). Finds
 * no document for every other case; the function then says which it is.
 */
const ADVANCED = `WITH advanced AS (
    UPDATE documents SET head = head + $6, bytes = bytes + $7, updated_at = clock_timestamp()
    WHERE id = $1 AND epoch = $2 AND head = $3 AND policy_rev = $4 AND current_setting('synchronous_commit') <> 'off'
    RETURNING id, head, policy_rev, updated_at)`;
const INSERT =
  'INSERT INTO document_updates (document_id, seq, at, policy_rev, batch, instance, kind, actor, session, update)';

/** One row, without arrays to take apart: a quarter less again. */
const TEXT_ONE = `${ADVANCED}
  ${INSERT}
  SELECT id, head, updated_at, policy_rev, $5, $8, $9, $10, $11, $12 FROM advanced
  RETURNING seq, ${milliseconds('at')}`;

const TEXT_RUN = `${ADVANCED}, inserted AS (
    ${INSERT}
    SELECT id, head - $6 + place, updated_at, policy_rev, $5, $8, kind, actor, session,
      substring($9::bytea FROM start FOR length)
    FROM advanced, unnest($10::bigint[], $11::int[], $12::int[], $13::text[], $14::text[], $15::text[])
      AS r (place, start, length, kind, actor, session))
  SELECT head - $6 + 1, ${milliseconds('updated_at')} FROM advanced`;

/** A time as JavaScript counts it, which is read faster than any date. */
export function milliseconds(column: string): string {
  return `floor(extract(epoch FROM ${column}) * 1000)::bigint`;
}

export interface GuessedBatch extends DocumentBatch {
  readonly guess: number;
}

export function appendGuessedStatement(part: GuessedBatch, instance: string): PreparedStatement {
  const { rows } = part;
  const bytes = rows.reduce((sum, { update }) => sum + update.byteLength, 0);
  const values = [
    String(part.document),
    String(part.epoch),
    String(part.guess),
    String(part.policyRev),
    part.batch,
    String(rows.length),
    String(bytes),
    instance,
  ];
  const [row] = rows;
  if (row && rows.length === 1) {
    const own = [row.kind, row.actor, row.session, asBuffer(row.update)];
    return { name: 'weft_append_one', text: TEXT_ONE, values: [...values, ...own] };
  }
  return { name: 'weft_append_run', text: TEXT_RUN, values: [...values, ...runValues(rows)] };
}

const TEXT_DISARM = `UPDATE documents SET policy_rev = policy_rev + 1
  WHERE id = $1 AND epoch = $2 AND head < $3 AND policy_rev = $4`;

/**
 * To be run before a guessed attempt that nobody waits for any more is repeated. Where the log already stands where it
 * was guessed to, or further, the repetition takes it past there, and the first attempt finds no document if it still
 * arrives. Where it does not, a rumour was false, and rows to come would lead to there, the repetition's own among them:
 * a new revision stops the first attempt then, at the price of having the rows authorized again.
 */
export function disarmStatement(part: GuessedBatch): PreparedStatement {
  const values = [part.document, part.epoch, part.guess, part.policyRev].map(String);
  return { name: 'weft_disarm', text: TEXT_DISARM, values };
}

function runValues(rows: readonly PendingRow[]): PreparedStatement['values'] {
  let start = 1;
  const starts = rows.map(({ update }) => (start += update.byteLength) - update.byteLength);
  return [
    Buffer.concat(rows.map(({ update }) => update)),
    numbers(rows.map((_, index) => index + 1)),
    numbers(starts),
    numbers(rows.map(({ update }) => update.byteLength)),
    texts(rows.map(({ kind }) => kind)),
    texts(rows.map(({ actor }) => actor)),
    texts(rows.map(({ session }) => session)),
  ];
}

/** `undefined`: it was not the common case. */
export function readOutcome([row]: readonly TextRow[]): AppendOutcome | undefined {
  return row && { outcome: 'appended', firstSeq: Number(row[0]), at: new Date(Number(row[1])) };
}

/** What became of one document's part. See `weft_append` in sql/0100_update_log.sql. */
export type AppendOutcome =
  | { readonly outcome: 'appended' | 'found'; readonly firstSeq: number; readonly at: Date }
  | { readonly outcome: 'stale'; readonly policyRev: number }
  | { readonly outcome: 'reload' }
  | { readonly outcome: 'deleted' };

const TEXT = `SELECT id, outcome, policy_rev, first_seq, ${milliseconds('at')}
  FROM weft_append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`;

/**
 * The whole batch as one statement. All updates travel as one binary value, cut apart on the server: as an array
 * they would be written out in hexadecimal, twice the bytes and an escape for each.
 */
export function appendStatement(batch: readonly DocumentBatch[], instance: string): PreparedStatement {
  const parts = batch.toSorted((a, b) => a.document - b.document);
  const rows = placeRows(parts);
  return {
    name: 'weft_append',
    text: TEXT,
    values: [
      numbers(parts.map((part) => part.document)),
      numbers(parts.map((part) => part.epoch)),
      numbers(parts.map((part) => part.known)),
      numbers(parts.map((part) => part.policyRev)),
      texts(parts.map((part) => part.batch)),
      numbers(parts.map((part) => part.rows.length)),
      numbers(parts.map((part) => part.rows.reduce((sum, row) => sum + row.update.byteLength, 0))),
      numbers(rows.map(({ part }) => part)),
      numbers(rows.map(({ place }) => place)),
      numbers(rows.map(({ start }) => start)),
      numbers(rows.map(({ row }) => row.update.byteLength)),
      texts(rows.map(({ row }) => row.kind)),
      texts(rows.map(({ row }) => row.actor)),
      texts(rows.map(({ row }) => row.session)),
      instance,
      Buffer.concat(rows.map(({ row }) => row.update)),
    ],
  };
}

// Arrays in the server's text format. Source: https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO

function numbers(values: readonly number[]): string {
  return `{${values.join(',')}}`;
}

function texts(values: readonly string[]): string {
  return `{${values.map((value) => `"${value.replace(/["\\]/g, '\\$&')}"`).join(',')}}`;
}

function asBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
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

export function readOutcomes(rows: readonly TextRow[]): Map<number, AppendOutcome> {
  return new Map(rows.map((row) => [Number(row[0]), toOutcome(row)]));
}

function toOutcome([id, outcome, policyRev, firstSeq, at]: TextRow): AppendOutcome {
  if (outcome === 'appended' || outcome === 'found') {
    return { outcome, firstSeq: Number(firstSeq), at: new Date(Number(at)) };
  }
  if (outcome === 'stale') return { outcome, policyRev: Number(policyRev) };
  if (outcome === 'reload' || outcome === 'deleted') return { outcome };
  throw new Error(`weft_append says ${outcome} of document ${id}`);
}
