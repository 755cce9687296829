import { RestError, until, type RestClient } from '@weft/harness';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { reader } from '../shared/promises.ts';
import type { Instance, TestCluster } from './cluster.ts';
import { Watcher } from './watcher.ts';

export interface PresenceRow {
  readonly user: string;
  readonly instance: string;
}

export async function presenceOf(client: RestClient, name: string): Promise<PresenceRow[]> {
  const path = `/v1/documents/${encodeURIComponent(name)}/presence`;
  const answer = await client.request<{ presence: PresenceRow[] }>('GET', path);
  if (answer.status !== 200) throw new RestError(`GET ${path}`, answer);
  return answer.body.presence;
}

export async function peopleIn(client: RestClient, name: string): Promise<string[]> {
  return (await presenceOf(client, name)).map(({ user }) => user).sort();
}

/** Asks for the list of people again and again, until it is stopped, and keeps the answers that differ. */
export class PresenceLog {
  /** In the order in which they came. */
  readonly answers: string[][] = [];
  asked = 0;
  private stopped = false;
  private readonly done: Promise<void>;

  constructor(client: RestClient, name: string) {
    this.done = this.follow(client, name);
  }

  private async follow(client: RestClient, name: string): Promise<void> {
    while (!this.stopped) {
      // An instance that is down or does not answer says nothing wrong.
      const people = await peopleIn(client, name).catch(() => undefined);
      if (people) this.keep(people);
      await delay(100);
    }
  }

  private keep(people: string[]): void {
    this.asked++;
    if (this.answers.at(-1)?.join() !== people.join()) this.answers.push(people);
  }

  async stop(): Promise<string[][]> {
    this.stopped = true;
    await this.done;
    return this.answers;
  }

  close(): Promise<string[][]> {
    return this.stop();
  }
}

export interface ViewsOptions {
  readonly cluster: TestCluster;
  readonly name: string;
  /** Where people look; everywhere, unless said otherwise. */
  readonly instances?: readonly Instance[];
}

/** Who is shown to a watcher on each of these instances, and whom its REST lists. */
export class Views {
  readonly watchers: readonly Watcher[];
  private readonly name: string;
  private readonly instances: readonly Instance[];

  constructor({ cluster, name, instances = cluster.instances }: ViewsOptions) {
    this.name = name;
    this.instances = instances;
    this.watchers = instances.map(
      ({ name: instance, server }) =>
        new Watcher({ cluster, url: server.wsUrl, name, user: `watcher-${instance}` }),
    );
  }

  /** Everything that is seen, the watchers included; who is seen twice comes twice. */
  async look(): Promise<string[]> {
    const shown = this.watchers.map(({ people, user }) => [...people, user].sort().join());
    const listed = await Promise.all(
      this.instances.map(async ({ server }) => (await peopleIn(reader(server, this.name), this.name)).join()),
    );
    return [...shown, ...listed];
  }

  /** Until every view is exactly these people and the watchers themselves. */
  async become(people: readonly string[], timeout = 10_000): Promise<void> {
    const expected = [...people, ...this.watchers.map(({ user }) => user)].sort().join();
    let seen: string[] = [];
    await until(
      async () => {
        seen = await this.look();
        return seen.every((view) => view === expected);
      },
      { timeout, interval: 50, what: `everybody to see ${expected}` },
    ).catch((error: unknown) => {
      expect.soft(seen).toEqual(seen.map(() => expected));
      throw error;
    });
  }

  /** Who was seen to leave, once for each watcher. */
  get leaves(): string[] {
    return this.watchers.flatMap(({ leaves }) => leaves).sort();
  }

  close(): void {
    for (const watcher of this.watchers) watcher.close();
  }
}
