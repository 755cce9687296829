import {
  createDatabase,
  documentOf,
  generateTrace,
  openSession,
  readTrace,
  recordedTraces,
  runSeed,
  seededRandom,
  startWeft,
  until,
  type EditingTrace,
  type Session,
  type WeftServer,
} from '@weft/harness';
import { expect, inject, test } from 'vitest';
import { closing } from '../shared/clean-up.ts';
import * as Y from 'yjs';
import { expectLogged, reader } from '../shared/promises.ts';

const seed = runSeed();
const NAME = 'replayed';
const RECORDED_TIMEOUT = 1_200_000;

/** The client ids that traces are made with, in the order of their agents. */
const clientOf = (agent: number) => 1_000 + agent;

function holds(
  document: Y.Doc,
  trace: EditingTrace,
  seen: readonly number[],
  clocks: readonly number[][],
): boolean {
  return seen.every((count, agent) => {
    const needed = count === 0 ? 0 : (clocks[agent]?.[count - 1] ?? 0);
    return Y.getState(document.store, clientOf(agent)) >= needed && trace.agents > agent;
  });
}

/** The clock that each agent has reached after each of its changes. */
function clocksByAgent(trace: EditingTrace): number[][] {
  const clocks = Array.from({ length: trace.agents }, () => [] as number[]);
  for (const { agent, update } of trace.changes) {
    const reached = Y.parseUpdateMeta(update).to.get(clientOf(agent));
    const own = clocks[agent];
    own?.push(reached ?? own.at(-1) ?? 0);
  }
  return clocks;
}

/** Each agent makes its changes as soon as those it builds on have reached it over the network. */
async function replay(trace: EditingTrace, sessions: readonly Session[]): Promise<void> {
  const clocks = clocksByAgent(trace);
  await Promise.all(
    sessions.map(async ({ document }, agent) => {
      for (const change of trace.changes) {
        if (change.agent !== agent) continue;
        if (!holds(document, trace, change.seen, clocks)) {
          await until(() => holds(document, trace, change.seen, clocks), {
            timeout: 60_000,
            interval: 1,
            what: `what agent ${agent} builds on`,
          });
        }
        Y.applyUpdate(document, change.update, 'the person');
      }
    }),
  );
}

function openAgents(server: WeftServer, trace: EditingTrace): Session[] {
  return Array.from({ length: trace.agents }, (_, agent) => {
    const document = new Y.Doc();
    document.clientID = clientOf(agent);
    const token = server.token({ sub: `agent-${agent}`, grants: { [NAME]: 'editor' } });
    const session = closing(openSession({ url: server.wsUrl, name: NAME, token, document }));
    return session;
  });
}

/** Milliseconds: all is sent at once, and a recording of years has hundreds of thousands of changes. */
const patience = ({ changes }: EditingTrace) => 60_000 + 2 * changes.length;

async function playThrough(trace: EditingTrace): Promise<void> {
  const server = closing(await startWeft({ databaseUrl: await createDatabase(inject('postgresUrl')) }));
  await server.as({ sub: 'owner' }).createDocument(NAME);
  const sessions = openAgents(server, trace);
  await Promise.all(sessions.map((session) => session.opened()));
  await replay(trace, sessions);
  await Promise.all(sessions.map((session) => session.saved(patience(trace))));
  await until(() => sessions.every(({ text }) => text.toJSON() === trace.expectedText), {
    timeout: 30_000,
    what: 'the expected text everywhere',
  }).catch(() => undefined);
  for (const { text } of sessions) expect(text.toJSON()).toBe(trace.expectedText);
  await expectLogged(
    server,
    NAME,
    trace.changes.map(({ update }) => update),
  );
  const state = documentOf(await reader(server, NAME).state(NAME));
  expect(state.getText('body').toJSON()).toBe(trace.expectedText);
}

test(`P9.1 a concurrent editing session of four people ends in the expected text everywhere (seed ${seed})`, async () => {
  await playThrough(generateTrace({ random: seededRandom(seed), agents: 4, changes: 4_000 }));
});

for (const path of recordedTraces()) {
  test(
    `P9.2 the recorded session ${path} ends in the recorded text`,
    async () => {
      const trace = readTrace(path);
      expect(trace.expectedText).toBe(trace.recordedText);
      await playThrough(trace);
    },
    RECORDED_TIMEOUT,
  );
}
