import { differences, documentOf, openSession, until, type LogRow, type WeftServer } from '@weft/harness';
import { expect } from 'vitest';
import type * as Y from 'yjs';
import { bytesOf, expectLogged, reader } from './promises.ts';
import type { Writers } from './writers.ts';

/** People who have written in one document. */
export type Writing = Pick<Writers, 'name' | 'pause' | 'allSaved' | 'documents' | 'acknowledged' | 'surplus'>;

/** One server, or several on one database. */
export interface Instances {
  readonly instances: readonly NamedServer[];
}

export interface NamedServer {
  readonly name: string;
  readonly server: WeftServer;
}

export interface ConvergenceOptions {
  /** Milliseconds from the end of all faults until every client must hold the same. */
  readonly within?: number;
}

/**
 * How every test of faults ends, when all instances run again: nobody writes, and every client's document, the
 * log as each instance tells it, the state of every instance, and what somebody new loads from each are equal in
 * state vector, deletions and content; the log is numbered without a gap and holds everything that any client
 * was told is saved.
 *
 * @returns the log
 */
export async function expectConvergence(
  cluster: Instances,
  writers: Writing | readonly Writing[],
  { within = 20_000 }: ConvergenceOptions = {},
): Promise<LogRow[]> {
  const groups = [writers].flat();
  const name = groups[0]?.name ?? '';
  for (const group of groups) group.pause();
  const deadline = performance.now() + within;
  const left = () => Math.max(1_000, deadline - performance.now());
  await Promise.all(groups.map((group) => group.allSaved(within)));
  const clients = documentsOf(groups);
  await until(() => differences(clients).length === 0, {
    timeout: left(),
    interval: 200,
    what: `the clients of ${name} to agree`,
  }).catch((error: unknown) => {
    expect.soft(differences(clients)).toEqual([]);
    throw error;
  });

  const acknowledged = groups.flatMap((group) => group.acknowledged);
  const tellings = [];
  for (const { server } of cluster.instances) tellings.push(await expectLogged(server, name, acknowledged));
  const [rows = []] = tellings;
  for (const telling of tellings) expect(telling).toEqual(rows);
  const everything = { ...clients, log: documentOf(...rows.map(bytesOf)) };
  for (const instance of cluster.instances) Object.assign(everything, await seenFrom(instance, name));
  expect(differences(everything)).toEqual([]);
  for (const group of groups) expect(group.surplus, 'acknowledgements of nothing').toBe(0);
  return rows;
}

function documentsOf(groups: readonly Writing[]): Record<string, Y.Doc> {
  return Object.fromEntries(
    groups.flatMap((group, index) =>
      Object.entries(group.documents()).map(([name, document]) => [`group ${index}: ${name}`, document]),
    ),
  );
}

/** What an instance holds in memory goes to who opens the document; its REST reads what is stored. */
async function seenFrom(
  { name: instance, server }: NamedServer,
  name: string,
): Promise<Record<string, Y.Doc>> {
  const newcomer = openSession({
    url: server.wsUrl,
    name,
    token: server.token({ sub: 'newcomer', grants: { [name]: 'viewer' } }),
  });
  await newcomer.opened();
  const state = documentOf(await reader(server, name).state(name));
  newcomer.close();
  return { [`state of ${instance}`]: state, [`newcomer at ${instance}`]: newcomer.document };
}
