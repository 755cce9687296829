import { describe, expect, test } from 'vitest';
import { AuditBuffer } from './buffer.ts';
import type { AuditEntry } from './entry.ts';

const refusal = {
  tenant: 'acme',
  action: 'update',
  actor: 'mallory',
  document: 'plan',
  code: 'write-forbidden',
} satisfies AuditEntry;

describe('P11.4 a flood of refusals is counted, not listed', () => {
  test('P11.4 the same refusal within a second is one entry with a count', () => {
    const buffer = new AuditBuffer(100);
    for (let n = 0; n < 10_000; n++) buffer.add(refusal, 1_000 + (n % 999));
    buffer.add(refusal, 2_000);
    const taken = buffer.take({ limit: 10, now: 3_000, countedUntil: 3_000 });
    expect(taken.map(({ count }) => count)).toEqual([10_000, 1]);
  });

  test('P11.4 another actor, document, code or tenant is another entry', () => {
    const buffer = new AuditBuffer(100);
    buffer.add(refusal, 0);
    buffer.add({ ...refusal, actor: 'alice' }, 0);
    buffer.add({ ...refusal, document: 'other' }, 0);
    buffer.add({ ...refusal, code: 'root-forbidden' }, 0);
    buffer.add({ ...refusal, tenant: 'other' }, 0);
    expect(buffer.size).toBe(5);
  });

  test('P11.4 acts are never merged', () => {
    const buffer = new AuditBuffer(100);
    const act = { tenant: 'acme', action: 'grant.put', actor: 'alice', document: 'plan' };
    buffer.add(act, 0);
    buffer.add(act, 0);
    expect(buffer.take({ limit: 10, now: 0, countedUntil: -1_000 })).toHaveLength(2);
  });

  test('P11.4 what was counted before the clock went back is taken, and counted no further', () => {
    const buffer = new AuditBuffer(100);
    buffer.add(refusal, 3_600_000);
    buffer.add(refusal, 10_000);
    const taken = buffer.take({ limit: 10, now: 10_100, countedUntil: 9_100 });
    expect(taken.map(({ at, count }) => [at, count])).toEqual([[3_600_000, 1]]);
    buffer.add({ ...refusal, actor: 'alice' }, 20_000);
    expect(buffer.take({ limit: 10, now: 5_000, countedUntil: 4_000 })).toHaveLength(2);
  });

  test('P11.4 what is still being counted is not taken', () => {
    const buffer = new AuditBuffer(100);
    buffer.add(refusal, 500);
    expect(buffer.take({ limit: 10, now: 600, countedUntil: -400 })).toHaveLength(0);
    expect(buffer.take({ limit: 10, now: 1_500, countedUntil: 500 })).toHaveLength(1);
  });
});

describe('P7.9 the audit log is bounded', () => {
  test('P7.9 what does not fit is counted by tenant, and the log says so', () => {
    const buffer = new AuditBuffer(3);
    const kept = Array.from({ length: 10 }, (_, n) => buffer.add({ ...refusal, actor: `m${n}` }, 0));
    expect(kept.filter(Boolean)).toHaveLength(3);
    expect(buffer.size).toBe(3);
    buffer.take({ limit: 3, now: 0, countedUntil: 0 });
    const [note] = buffer.take({ limit: 3, now: 7, countedUntil: 0 });
    expect(note).toMatchObject({ at: 7, entry: { tenant: 'acme', action: 'audit.dropped' } });
    expect(JSON.parse(note?.detail ?? '')).toEqual({ count: 7 });
  });

  test('P7.9 so are the tenants for whom that is counted', () => {
    const buffer = new AuditBuffer(2);
    for (let n = 0; n < 10; n++) buffer.add({ ...refusal, tenant: `t${n}` }, 0);
    buffer.take({ limit: 2, now: 0, countedUntil: 0 });
    const notes = buffer.take({ limit: 100, now: 0, countedUntil: 0 });
    expect(notes.map(({ entry }) => entry.tenant)).toEqual(['t2', 't3']);
  });
});
