import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { generateTrace } from './editing-trace.ts';
import { seededRandom } from './random.ts';

const make = (seed: number) => generateTrace({ random: seededRandom(seed), agents: 3, changes: 600 });

test('P10.8 a seed gives the same editing session each time, another seed another one', () => {
  expect(make(7).expectedText).toBe(make(7).expectedText);
  expect(make(7).expectedText).not.toBe(make(8).expectedText);
});

test('P10.8 a generated session is really concurrent, and every causal order of it has one outcome', () => {
  const trace = make(3);
  const concurrent = trace.changes.filter(({ agent, seen }) =>
    trace.changes.some((other) => other.agent !== agent && (other.seen[agent] ?? 0) <= (seen[agent] ?? 0)),
  );
  expect(concurrent.length).toBeGreaterThan(100);
  const byAgent = new Y.Doc();
  for (let agent = 0; agent < trace.agents; agent++) {
    for (const change of trace.changes) if (change.agent === agent) Y.applyUpdate(byAgent, change.update);
  }
  expect(byAgent.getText('body').toJSON()).toBe(trace.expectedText);
  expect(trace.expectedText.length).toBeGreaterThan(300);
});
