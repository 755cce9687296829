import { isDeepStrictEqual } from 'node:util';
import { runSeed, seededRandom, until, type Random } from '@weft/harness';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFailed, test } from 'vitest';
import { closing } from '../shared/clean-up.ts';
import { reader } from '../shared/promises.ts';
import { Writers } from '../shared/writers.ts';
import { clusterOfFile, type Instance } from './cluster.ts';
import { expectConvergence } from '../shared/convergence.ts';
import { MISHAPS, type Mishap } from './mishaps.ts';
import { peopleIn } from './views.ts';

/** Seconds in which things go wrong; `WEFT_CHAOS_SECONDS` for a longer search by hand. */
const SECONDS = Number(process.env.WEFT_CHAOS_SECONDS ?? 25);
const WRITERS = 12;
const NAMES = ['live', 'strict'] as const;
const seed = runSeed();
const cluster = clusterOfFile({
  env: {
    // What hangs is noticed within the length of a mishap.
    WEFT_DATABASE_STATEMENT_TIMEOUT: '2s',
    WEFT_DATABASE_CONNECT_TIMEOUT: '2s',
    WEFT_COMPACTION_ROWS: '50',
    WEFT_COMPACTION_INTERVAL: '2s',
  },
});

interface Running {
  readonly mishap: Mishap;
  readonly instance: Instance;
}

/** One thing after another goes wrong, each for a random while, now and then several at once. */
class Chaos {
  /** What was done, so that a failure can be told. */
  readonly diary: string[] = [];
  private readonly random: Random;
  private readonly instances: readonly Instance[];
  private readonly started = performance.now();
  private running: Running[] = [];

  constructor(instances: readonly Instance[], random: Random) {
    this.instances = instances;
    this.random = random;
  }

  async run(seconds: number): Promise<void> {
    while (performance.now() - this.started < seconds * 1_000) {
      await this.begin();
      this.expectAlive();
      await delay(this.random.integer(2_500));
      if (this.running.length > 2 || this.random.chance(0.6)) await this.endOldest();
    }
    while (this.running.length > 0) await this.endOldest();
    this.expectAlive();
  }

  /** No instance ends because of what happens around it. */
  private expectAlive(): void {
    for (const instance of this.instances) {
      const killed = this.running.some((each) => each.instance === instance && each.mishap.name === 'killed');
      expect(instance.server.process.running, `whether ${instance.name} runs`).toBe(!killed);
    }
  }

  private async begin(): Promise<void> {
    const mishap = this.random.pick(MISHAPS);
    const instance = this.random.pick(this.instances);
    // A process that is dead or frozen cannot be made more so.
    const down = this.running.some(
      (each) => each.instance === instance && /killed|frozen/.test(each.mishap.name),
    );
    if (down) return;
    this.note(`${instance.name} ${mishap.name}`);
    this.running.push({ mishap, instance });
    await mishap.begin(instance);
  }

  private async endOldest(): Promise<void> {
    const [oldest, ...rest] = this.running;
    if (!oldest) return;
    this.running = rest;
    const { mishap, instance } = oldest;
    // Without its database an instance does not start.
    if (mishap.name === 'killed') await this.endOthers(instance);
    this.note(`${instance.name} no longer ${mishap.name}`);
    await mishap.end(instance);
  }

  private async endOthers(instance: Instance): Promise<void> {
    const others = this.running.filter((each) => each.instance === instance);
    this.running = this.running.filter((each) => each.instance !== instance);
    for (const { mishap } of others) await mishap.end(instance);
  }

  private note(what: string): void {
    this.diary.push(`${((performance.now() - this.started) / 1_000).toFixed(1)} s: ${what}`);
  }
}

/** Everybody is listed by every instance and shown on every screen, once, and nobody else. */
async function expectPresent({ name, sessions }: Writers): Promise<void> {
  const everybody = sessions.map((_, index) => `writer-${index}`).sort();
  const views = async () => ({
    listed: await Promise.all(cluster().instances.map(({ server }) => peopleIn(reader(server, name), name))),
    shown: sessions.map(({ provider }) =>
      [...(provider.awareness?.getStates().keys() ?? [])].sort((a, b) => a - b),
    ),
  });
  const clients = sessions.map(({ document }) => document.clientID).sort((a, b) => a - b);
  const expected = {
    listed: cluster().instances.map(() => everybody),
    shown: sessions.map(() => clients),
  };
  let seen: unknown;
  await until(async () => isDeepStrictEqual((seen = await views()), expected), {
    timeout: 20_000,
    interval: 200,
    what: `everybody in ${name} to be present`,
  }).catch((error: unknown) => {
    expect.soft(seen).toEqual(expected);
    throw error;
  });
}

test(`P5.10 whatever goes wrong with instances, Redis and Postgres, in whatever order, all converge and nothing acknowledged is lost (WEFT_SEED=${seed})`, async () => {
  const { instances, wsUrl } = cluster();
  const [first] = instances;
  if (!first) throw new Error('no instance');
  const owner = first.server.as({ sub: 'owner' });
  for (const mode of NAMES) await owner.createDocument(mode, { mode });
  const random = seededRandom(seed);
  const groups = NAMES.map((name) =>
    closing(
      new Writers({
        server: first.server,
        url: wsUrl,
        name,
        count: WRITERS / NAMES.length,
        random,
        pace: 250,
      }),
    ),
  );
  await Promise.all(groups.map((group) => group.opened()));
  // A stream of its own, so that how fast the machine is does not change what goes wrong.
  const chaos = new Chaos(instances, seededRandom(seed + 1));
  onTestFailed(() => console.error(`WEFT_SEED=${seed}\n${chaos.diary.join('\n')}`));
  for (const group of groups) group.start();
  await chaos.run(SECONDS);
  for (const group of groups) {
    await group.progress(WRITERS, 60_000);
    const rows = await expectConvergence(cluster(), group, { within: 60_000 });
    expect(rows.length).toBeGreaterThan(WRITERS);
  }
  await Promise.all(groups.map(expectPresent));
});
