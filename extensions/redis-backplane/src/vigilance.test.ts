import { silentLogger } from '@weft/common';
import { until } from '@weft/harness';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { DocumentPosition, type LostReason } from './document-position.ts';
import { TestLog } from './testing/log.ts';
import { Vigilance, type ReadHeads, type VigilanceOptions } from './vigilance.ts';

const running: Vigilance[] = [];
const cleanups: (() => void)[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((vigilance) => vigilance.stop()));
  for (const cleanup of cleanups.splice(0)) cleanup();
});

function watch(log: TestLog, options: Partial<VigilanceOptions> = {}) {
  const applied: number[] = [];
  const lost: LostReason[] = [];
  const revisions: number[] = [];
  const position = new DocumentPosition({
    patience: 1,
    port: {
      readRows: log.readRows,
      apply: (rows) => applied.push(...rows.map(({ seq }) => seq)),
      lost: (reason) => lost.push(reason),
    },
  });
  position.open({ epoch: log.epoch, seq: log.head });
  const vigilance = new Vigilance({ heads: log.heads, logger: silentLogger, ...options });
  running.push(vigilance);
  const watched = {
    id: log.id,
    position,
    policyRev: log.policyRev,
    policyChanged: (rev: number) => revisions.push(rev),
  };
  return { vigilance, position, applied, lost, revisions, watching: vigilance.watch(watched) };
}

describe('P5.4 what was never delivered is found', () => {
  test('P5.4 a silent loss is repaired at the next check', async () => {
    const log = new TestLog();
    const { vigilance, applied } = watch(log, { interval: 20 });
    await vigilance.start();
    log.append('b');
    log.append('b');
    await until(() => applied.length === 2);
  });

  test('P5.4 one query for all documents', async () => {
    const logs = [new TestLog('one', 1), new TestLog('two', 2)];
    const queries: number[][] = [];
    const heads: ReadHeads = async (ids) => {
      queries.push([...ids]);
      return new Map([...(await logs[0]!.heads(ids)), ...(await logs[1]!.heads(ids))]);
    };
    const first = watch(logs[0]!, { heads });
    const second = watch(logs[1]!);
    first.vigilance.watch({ id: 2, position: second.position, policyRev: 1, policyChanged: () => undefined });
    await first.vigilance.checkNow();
    expect(queries).toEqual([[1, 2]]);
  });

  test('P5.4 without delivery it looks more often, and at once when delivery is back', async () => {
    const log = new TestLog();
    const { vigilance, applied } = watch(log, { interval: 60_000, awayInterval: 10 });
    await vigilance.start();
    vigilance.deliveryLost();
    log.append('b');
    await until(() => applied.length === 1);
    const slow = watch(log, { interval: 60_000, awayInterval: 60_000 });
    await slow.vigilance.start();
    slow.vigilance.deliveryLost();
    log.append('b');
    slow.vigilance.deliveryBack();
    await until(() => slow.applied.length === 1);
  });

  test('P4.7 a lost notice of changed permissions is found, once', async () => {
    const log = new TestLog();
    const { vigilance, revisions } = watch(log);
    await vigilance.checkNow();
    log.policyRev = 4;
    await vigilance.checkNow();
    await vigilance.checkNow();
    expect(revisions).toEqual([4]);
  });

  test('P4.7 a commit under other permissions than were known is such a notice; one that was under way is none', async () => {
    const log = new TestLog();
    const { watching, revisions } = watch(log);
    const [known, newer] = [log.policyRev, log.policyRev + 1];
    watching.committed([log.append('a')]);
    expect(revisions).toEqual([]);
    log.policyRev = newer;
    const row = log.append('a');
    watching.committed([{ ...row, policyRev: newer }]);
    watching.committed([{ ...row, policyRev: known }]);
    expect(revisions).toEqual([newer]);
  });

  test('P12.15 what its own commits tell is not asked for, what they cannot tell seldom', async () => {
    vi.useFakeTimers();
    cleanups.push(() => vi.useRealTimers());
    const log = new TestLog();
    let queries = 0;
    const heads: ReadHeads = (ids) => {
      queries += 1;
      return log.heads(ids);
    };
    const { vigilance, watching } = watch(log, { heads, interval: 3_000, policyInterval: 800 });
    await vigilance.start();
    const during = async (milliseconds: number, act: () => void) => {
      const before = queries;
      for (let passed = 0; passed < milliseconds; passed += 100) {
        await vi.advanceTimersByTimeAsync(100);
        act();
      }
      return queries - before;
    };
    expect(await during(16_000, () => undefined)).toBe(20);
    expect(await during(30_000, () => watching.committed([log.append('a')]))).toBe(10);
    await vigilance.checkNow();
    await vi.advanceTimersByTimeAsync(500);
    watching.committed([log.append('a')]);
    // The last commit told how the log stood: 800 ms later that is asked for.
    expect(await during(700, () => undefined)).toBe(0);
    expect(await during(100, () => undefined)).toBe(1);
    vigilance.deliveryLost();
    expect(await during(5_000, () => watching.committed([log.append('a')]))).toBe(10);
  });

  test('P5.2 another epoch and a deleted document are noticed', async () => {
    const remade = new TestLog();
    const first = watch(remade);
    remade.epoch++;
    await first.vigilance.checkNow();
    expect(first.lost).toEqual(['epoch-changed']);

    const gone = new TestLog();
    const second = watch(gone);
    gone.deleted = true;
    await second.vigilance.checkNow();
    expect(second.lost).toEqual(['document-deleted']);
  });

  test('P5.4 a log that cannot be asked is asked again, and its age is known', async () => {
    const log = new TestLog();
    let away = true;
    const heads: ReadHeads = async (ids) => {
      if (away) throw new Error('away');
      return log.heads(ids);
    };
    const { vigilance, applied } = watch(log, { heads, interval: 10 });
    await vigilance.start();
    log.append('b');
    await vigilance.checkNow();
    expect(vigilance.age).toBeUndefined();
    away = false;
    await until(() => applied.length === 1);
    expect(vigilance.age).toBeLessThan(5000);
  });

  test('P5.4 what is closed while the log is asked is not compared with the answer', async () => {
    const log = new TestLog();
    const answer = Promise.withResolvers<void>();
    const heads: ReadHeads = async (ids) => {
      await answer.promise;
      return log.heads(ids);
    };
    const { vigilance, watching, lost, revisions } = watch(log, { heads });
    const checked = vigilance.checkNow();
    watching.end();
    log.epoch++;
    log.policyRev++;
    answer.resolve();
    await checked;
    expect([lost, revisions]).toEqual([[], []]);
  });

  test('P5.4 what is no longer open is not asked for', async () => {
    const log = new TestLog();
    const { vigilance, watching, lost } = watch(log);
    watching.end();
    log.epoch++;
    await vigilance.checkNow();
    expect(lost).toEqual([]);
  });
});
