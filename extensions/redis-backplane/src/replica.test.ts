import { silentLogger } from '@weft/common';
import { expect, onTestFinished, test } from 'vitest';
import type { LostReason } from './document-position.ts';
import { Replica } from './replica.ts';
import { TestLog } from './testing/log.ts';
import { Vigilance } from './vigilance.ts';

/** An open document whose name may be another's by now: rows are read by the name, heads by the number. */
function open(log: TestLog, named: TestLog) {
  const lost: LostReason[] = [];
  const vigilance = new Vigilance({ heads: log.heads, logger: silentLogger });
  const replica = new Replica({
    key: log.key,
    vigilance,
    events: {
      readRows: named.readRows,
      apply: () => undefined,
      lost: (reason) => lost.push(reason),
      awareness: () => undefined,
      stateless: () => undefined,
      peerJoined: () => undefined,
      policyChanged: () => undefined,
    },
  });
  onTestFinished(async () => {
    replica.leave();
    await vigilance.stop();
  });
  replica.open({ id: log.id, epoch: log.epoch, seq: log.head, policyRev: log.policyRev });
  return { replica, lost };
}

test('P2.4 that a document is deleted is known also when another bears its name by then', async () => {
  const [old, again] = [new TestLog('notes', 1), new TestLog('notes', 2)];
  const { replica, lost } = open(old, again);
  old.deleted = true;
  again.epoch = old.epoch + 1;
  await replica.catchUp();
  expect(lost).toEqual(['document-deleted']);
});

test('P5.2 another epoch of the same document is not taken for its end', async () => {
  const log = new TestLog();
  const { replica, lost } = open(log, log);
  log.epoch++;
  await replica.catchUp();
  expect(lost).toEqual(['epoch-changed']);
});
