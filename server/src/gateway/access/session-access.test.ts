import type { Access, ResolveOptions } from '@weft/authorize';
import { silentLogger } from '@weft/common';
import { until } from '@weft/harness';
import { describe, expect, test, vi } from 'vitest';
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
  return { access, session, questions, sweepAt, untilKnown };
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
