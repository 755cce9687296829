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

/** What became of one document's part. See `weft_append` in sql/0100_update_log.sql. */
export type AppendOutcome =
  | {
      readonly outcome: 'appended' | 'found';
      readonly firstSeq: number;
      readonly head: number;
      readonly at: Date;
    }
  | { readonly outcome: 'stale'; readonly policyRev: number }
  | { readonly outcome: 'reload' }
  | { readonly outcome: 'deleted' };

interface ResultRow {
  readonly id: string;
  readonly outcome: AppendOutcome['outcome'];
  readonly head: string | null;
  readonly policy_rev: string | null;
  readonly first_seq: string | null;
  readonly at: Date | null;
}

const TEXT =
  'SELECT id, outcome, head, policy_rev, first_seq, at FROM weft_append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)';

/**
 * The whole batch as one statement. All updates travel as one binary value, cut apart on the server: as an array
 * they would be written out in hexadecimal, twice the bytes and an escape for each.
 */
export function appendStatement(parts: readonly DocumentBatch[], instance: string): pg.QueryConfig {
  const rows = parts.flatMap((part) => part.rows.map((row) => ({ document: part.document, row })));
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
      rows.map(({ document }) => document),
      rows.map(({ row }) => row.update.byteLength),
      rows.map(({ row }) => row.kind),
      rows.map(({ row }) => row.actor),
      rows.map(({ row }) => row.session),
      instance,
      Buffer.concat(rows.map(({ row }) => row.update)),
    ],
  };
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
        head: Number(row.head),
        at: row.at ?? new Date(0),
      };
    case 'stale':
      return { outcome: 'stale', policyRev: Number(row.policy_rev) };
    case 'reload':
    case 'deleted':
      return { outcome: row.outcome };
  }
}
