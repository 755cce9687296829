import { until, type LogRow, type Random, type Session } from '@weft/harness';
import { expect } from 'vitest';
import * as Y from 'yjs';
import { closing } from '../shared/clean-up.ts';
import { bytesOf } from '../shared/promises.ts';
import { Writers } from '../shared/writers.ts';
import type { TestCluster } from './cluster.ts';
import { expectConvergence } from '../shared/convergence.ts';

/** How soon everybody must hold the same, after a fault or in spite of it, in milliseconds. */
const WITHIN = 10_000;

export interface CrowdOptions {
  readonly cluster: TestCluster;
  readonly name: string;
  readonly random: Random;
  /** People on each instance. */
  readonly each?: number;
  /** Mean milliseconds between two edits of one person. */
  readonly pace?: number;
}

/** People on every instance who write in one document. Marks are words that typing over the text cannot remove. */
export class Crowd {
  /** In the order of the instances. */
  readonly groups: readonly Writers[];
  /** Those of them whom a screen has shown to leave. */
  readonly leaves: string[] = [];

  constructor({ cluster, name, random, each = 10, pace = 500 }: CrowdOptions) {
    this.groups = cluster.instances.map(
      ({ server, name: instance }) =>
        new Writers({ server, name, count: each, random, pace, prefix: `${name}-${instance}` }),
    );
  }

  /** From now on whoever of them leaves is noted. */
  watchLeaves(): void {
    const names = new Map(
      this.groups.flatMap(({ sessions, prefix }) =>
        sessions.map(({ document }, index) => [document.clientID, `${prefix}-${index}`]),
      ),
    );
    for (const { provider } of this.sessions) {
      provider.awareness?.on('change', ({ removed }: { removed: number[] }) => {
        this.leaves.push(...removed.flatMap((client) => names.get(client) ?? []));
      });
    }
  }

  get sessions(): Session[] {
    return this.groups.flatMap(({ sessions }) => sessions);
  }

  /** Ends of connections and of sessions, for whatever reason. */
  get closes(): unknown[] {
    return this.sessions.flatMap(({ closes, socket }) => [...closes, ...socket.tap.closes]);
  }

  start(): void {
    for (const group of this.groups) group.start();
  }

  pause(): void {
    for (const group of this.groups) group.pause();
  }

  /** Everybody's instance goes on saving. */
  async progress(more: number, timeout = 20_000): Promise<void> {
    await Promise.all(this.groups.map((group) => group.progress(more, timeout)));
  }

  /** One person of the group writes it now. */
  say(mark: string, group: Writers): void {
    group.sessions[0]?.document.getMap('marks').set(mark, true);
  }

  async heard(mark: string, groups = this.groups, timeout = WITHIN): Promise<void> {
    const listeners = groups.flatMap(({ sessions }) => sessions);
    await until(() => listeners.every(({ document }) => document.getMap('marks').has(mark)), {
      timeout,
      what: `everybody to see ${mark}`,
    });
  }

  /** What is written on each instance from now on is seen on all. */
  async hearEachOther(when: string): Promise<void> {
    await Promise.all(
      this.groups.map((group, index) => {
        const mark = `${when}, from ${index}`;
        this.say(mark, group);
        return this.heard(mark);
      }),
    );
  }

  close(): void {
    for (const group of this.groups) group.close();
  }
}

/** Makes a document and lets people write in it. */
export async function gather(options: CrowdOptions): Promise<Crowd> {
  const { cluster, name } = options;
  const { status } = await cluster
    .as({ sub: 'owner' })
    .request('PUT', `/v1/documents/${encodeURIComponent(name)}`, {});
  // It may be there already.
  if (status !== 201 && status !== 409) throw new Error(`The document cannot be made: ${status}`);
  const crowd = closing(new Crowd(options));
  await Promise.all(crowd.groups.map((group) => group.opened()));
  crowd.start();
  await crowd.progress(20);
  crowd.watchLeaves();
  return crowd;
}

/** Everybody holds the same soon, nothing is stored twice, and nobody's connection was ever touched. */
export async function expectUndisturbed(cluster: TestCluster, crowd: Crowd): Promise<LogRow[]> {
  const rows = await expectConvergence(cluster, crowd.groups, { within: WITHIN });
  // Two who delete the same write the same bytes; what somebody inserted is there once.
  const inserts = rows.filter((row) => Y.parseUpdateMeta(bytesOf(row)).from.size > 0);
  expect(new Set(inserts.map(({ update }) => update)).size).toBe(inserts.length);
  expect(crowd.closes).toEqual([]);
  return rows;
}
