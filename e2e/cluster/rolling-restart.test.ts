import { runSeed, seededRandom, until, type Session } from '@weft/harness';
import { expect, test } from 'vitest';
import { closing } from '../shared/clean-up.ts';
import { reader } from '../shared/promises.ts';
import { Writers } from '../shared/writers.ts';
import { clusterOfFile } from './cluster.ts';
import { expectConvergence } from '../shared/convergence.ts';
import { PresenceLog } from './views.ts';
import { Watcher } from './watcher.ts';

const WRITERS = 18;
const SPREAD = 2_000;
/** Milliseconds that presence is kept for who was sent away. */
const GRACE = 5_000;
const NAME = 'cloth';
const seed = runSeed();
const cluster = clusterOfFile({ env: { WEFT_DRAIN_SPREAD: `${SPREAD}ms` } });

/** When a client was sent away, and how long until its document was in step again. */
class Interruptions {
  /** Milliseconds of `performance.now()`. */
  readonly sentAwayAt: number[] = [];
  readonly lasted: number[] = [];

  watch({ provider }: Session): void {
    let since: number | undefined;
    provider.on('close', ({ event }: { event: { code: number } }) => {
      since ??= performance.now();
      if (event.code === 4500) this.sentAwayAt.push(performance.now());
    });
    provider.on('synced', ({ state }: { state: boolean }) => {
      if (!state || since === undefined) return;
      this.lasted.push(performance.now() - since);
      since = undefined;
    });
  }

  quantile(part: number): number {
    const sorted = [...this.lasted].sort((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
  }
}

test(`P8.10 P8.11 a rolling restart of all instances under load loses nothing, shows nobody leaving, and spreads the reconnects (seed ${seed})`, async () => {
  const { instances, wsUrl } = cluster();
  const [first] = instances;
  if (!first) throw new Error('no instance');
  await first.server.as({ sub: 'owner' }).createDocument(NAME);
  const random = seededRandom(seed);
  const writers = closing(
    new Writers({ server: first.server, url: wsUrl, name: NAME, count: WRITERS, random, pace: 250 }),
  );
  const watchers = instances.map((_, index) =>
    closing(new Watcher({ cluster: cluster(), url: wsUrl, name: NAME, user: `watcher-${index}` })),
  );
  await Promise.all([writers.opened(), ...watchers.map(({ session }) => session.opened())]);
  const everybody = [
    ...writers.sessions.map((_, index) => `writer-${index}`),
    ...watchers.map((_, index) => `watcher-${index}`),
  ].sort();
  await until(() => watchers.every(({ people }) => people.length === everybody.length - 1), {
    what: 'everybody to be shown to the watchers',
  });
  const lists = instances.map(({ server }) => closing(new PresenceLog(reader(server, NAME), NAME)));
  await until(() => lists.every(({ answers }) => answers.at(-1)?.join() === everybody.join()), {
    what: 'everybody to be listed by every instance',
  });
  const before = lists.map(({ answers }) => answers.length - 1);
  const interruptions = new Interruptions();
  for (const { sessions } of [writers, { sessions: watchers.map(({ session }) => session) }]) {
    for (const session of sessions) interruptions.watch(session);
  }
  writers.start();

  for (const { name, server } of instances) {
    interruptions.sentAwayAt.length = 0;
    expect(await server.stop(), `exit code of ${name}`).toBe(0);
    const { sentAwayAt } = interruptions;
    expect(sentAwayAt.length, `clients that ${name} sent away`).toBeGreaterThan(3);
    // The last one is sent away a pause before the end; half of the time leaves room for a slow machine.
    expect(Math.max(...sentAwayAt) - Math.min(...sentAwayAt)).toBeGreaterThan(SPREAD / 2);
    await server.start();
    await writers.progress(WRITERS);
  }
  const listed = await Promise.all(lists.map((list) => list.stop()));
  const hints = writers.sessions.flatMap(({ events }) =>
    events.flatMap((event) => (event.weft === 'closed' ? [event.retryAfter ?? 0] : [])),
  );

  expect(watchers.flatMap(({ leaves }) => leaves)).toEqual([]);
  // A connection that has just moved is listed beside its former one for a moment.
  const lacking = listed.flatMap((answers, index) =>
    answers
      .slice(before[index])
      .map((people) => everybody.filter((user) => !people.includes(user)))
      .filter((missing) => missing.length > 0),
  );
  expect(lacking).toEqual([]);
  expect(hints.length).toBeGreaterThan(0);
  expect(Math.max(...hints)).toBeLessThan(GRACE / 2);
  await expectConvergence(cluster(), writers);
  await until(() => watchers.every(({ people }) => people.length === everybody.length - 1), {
    what: 'everybody to be shown still',
  });
  console.log(
    `interruption of ${interruptions.lasted.length} moves: p50 ${Math.round(interruptions.quantile(0.5))} ms, p99 ${Math.round(interruptions.quantile(0.99))} ms`,
  );
});
