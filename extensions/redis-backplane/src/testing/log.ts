import { documentKey, WeftError, type CommittedUpdate, type Cursor, type DocumentKey } from '@weft/common';
import type { LogPage } from '../document-position.ts';
import type { DocumentHead } from '../vigilance.ts';

/** A log of one document in memory, with the errors of the real one. */
export class TestLog {
  readonly key: DocumentKey;
  readonly id: number;
  epoch = 1_795_000_000_000;
  policyRev = 1;
  prunedSeq = 0;
  deleted = false;
  reads = 0;
  rows: CommittedUpdate[] = [];

  constructor(name = 'notes', id = 1) {
    this.key = documentKey('default', name);
    this.id = id;
  }

  get head(): number {
    return this.rows.length;
  }

  append(instance: string, update: Uint8Array = Uint8Array.from([this.head + 1])): CommittedUpdate {
    const row: CommittedUpdate = {
      document: this.key,
      epoch: this.epoch,
      seq: this.head + 1,
      actor: 'alice',
      session: `session-of-${instance}`,
      instance,
      kind: 'edit',
      policyRev: this.policyRev,
      at: new Date(1_795_000_000_000 + this.head),
      update,
    };
    this.rows.push(row);
    return row;
  }

  readonly readRows = async (after: Cursor, limit: number): Promise<LogPage> => {
    this.reads++;
    if (this.deleted) throw new WeftError('document-not-found');
    if (after.epoch !== this.epoch || after.seq > this.head) throw new WeftError('cursor-epoch');
    if (after.seq < this.prunedSeq) throw new WeftError('cursor-pruned');
    return { rows: this.rows.slice(after.seq, after.seq + limit), head: this.head };
  };

  readonly heads = async (ids: readonly number[]): Promise<Map<number, DocumentHead>> => {
    const { epoch, head, policyRev } = this;
    const known = ids.includes(this.id) && !this.deleted;
    return new Map(known ? [[this.id, { epoch, head, policyRev }]] : []);
  };
}
