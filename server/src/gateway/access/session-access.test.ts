import type { Access, ResolveOptions } from '@weft/authorize';
import { documentKey, silentLogger } from '@weft/common';
import { until } from '@weft/harness';
import { describe, expect, test, vi } from 'vitest';
import type { LiveDocument } from '../document/live-document.ts';
import type { Session } from '../session/session.ts';
import { SessionAccess } from './session-access.ts';

const END = 100_000;

/** A session whose rights hold until {@link END}, and a source that answers when it is told to. */
function begin() {
  let now = 0;
  const questions: { readonly options: ResolveOptions | undefined; answer: PromiseWithResolvers<Access> }[] =
    [];
  const session = {
    isOpen: true,
    principal: { expiresAt: Infinity },
    access: { role: undefined, policyRev: 0, expiresAt: END } as Access,
    document: { policyRev: 0 },
    permit: (access: Access) => (session.access = access),
    failed: vi.fn(),
    end: vi.fn(),
  };
  const access = new SessionAccess({
    wallClock: { now: () => now },
    gate: {
      resolve: (_person, _key, options) => {
        const answer = Promise.withResolvers<Access>();
        questions.push({ options, answer });
        return answer.promise;
      },
    },
    bindings: { claims: { rememberSoon: () => undefined } },
    logger: silentLogger,
    documents: () => [],
  });
  const sweepAt = (time: number) => {
    now = time;
    access.sweep(session as unknown as Session, now);
  };
  const untilKnown = () => access.untilKnown(session as unknown as Session);
  const document = { key: documentKey('acme', 'plan'), sessions: [session] } as unknown as LiveDocument;
  return { access, session, document, questions, sweepAt, untilKnown };
}

describe('P4.15 the end of a right', () => {
  test('P4.15 is asked about ahead, once, for an answer that holds beyond it', async () => {
    const { session, questions, sweepAt } = begin();
    sweepAt(END - 10_000);
    expect(questions).toEqual([]);
    sweepAt(END - 1_500);
    sweepAt(END - 500);
    expect(questions.map(({ options }) => options)).toEqual([{ beyond: END }]);
    questions[0]?.answer.resolve({ ...session.access, expiresAt: END + 10_000 });
    await until(() => session.access.expiresAt === END + 10_000, { what: 'the right to go on' });
    sweepAt(END);
    expect(questions).toHaveLength(1);
  });

  test('P4.15 whoever comes after it waits for the answer to what was asked before', async () => {
    const { access, session, questions, sweepAt, untilKnown } = begin();
    sweepAt(END - 1_000);
    expect(access.hasEnded(session.access)).toBe(false);
    sweepAt(END);
    expect(access.hasEnded(session.access)).toBe(true);
    const waiting = untilKnown();
    expect(questions).toHaveLength(1);
    questions[0]?.answer.resolve({ ...session.access, expiresAt: END + 10_000 });
    await waiting;
    expect(access.hasEnded(session.access)).toBe(false);
  });

  test('P4.15 an answer that has itself ended is none', async () => {
    const { session, questions, sweepAt, untilKnown } = begin();
    sweepAt(END);
    const waiting = untilKnown();
    questions[0]?.answer.resolve({ ...session.access, expiresAt: END });
    await until(() => questions.length === 2, { what: 'another question' });
    questions[1]?.answer.resolve({ ...session.access, expiresAt: END + 1 });
    await waiting;
  });

  test('P4.15 of whom nobody can say anything is sent away at the end, not ahead of it', async () => {
    const { session, questions, sweepAt } = begin();
    const fail = () => questions.forEach(({ answer }) => answer.reject(new Error('away')));
    const askedAgain = (time: number) => {
      sweepAt(time);
      fail();
      return questions.length > 3;
    };
    await until(() => askedAgain(END - 1_500), { what: 'the question to be asked anew after it has failed' });
    expect(session.failed).not.toHaveBeenCalled();
    sweepAt(END);
    await until(() => (fail(), session.failed.mock.calls.length > 0), { what: 'the session to fail' });
  });
});

test('P4.3 an answer from before a change whose consequences have been drawn changes nothing', async () => {
  const { access, session, document, questions } = begin();
  session.access = { ...session.access, policyRev: 5 };
  const refreshed = access.refresh(document, []);
  questions[0]?.answer.resolve({ ...session.access, policyRev: 4 });
  await refreshed;
  expect(session.access.policyRev).toBe(5);
  const again = access.refresh(document, []);
  questions[1]?.answer.resolve({ ...session.access, policyRev: 6 });
  await again;
  expect(session.access.policyRev).toBe(6);
});

test('P4.5 who is in a document whose changed permissions cannot be had is sent away', async () => {
  const { access, session, document, questions } = begin();
  access.changed(document);
  await until(() => {
    for (const { answer } of questions) answer.reject(new Error('away'));
    return session.end.mock.calls.length > 0;
  });
  expect(session.end.mock.calls).toEqual([['permissions-unavailable']]);
});
