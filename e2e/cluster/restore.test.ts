import { backUp, openSession, runSeed, seededRandom, until, type LogRow } from '@weft/harness';
import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { closing } from '../shared/clean-up.ts';
import { bytesOf, expectGapless, reader } from '../shared/promises.ts';
import { clusterOfFile, type Instance } from './cluster.ts';
import { expectConvergence } from '../shared/convergence.ts';
import { gather, type Crowd } from './crowd.ts';
import { metricOf } from './faults.ts';

const seed = runSeed();
const cluster = clusterOfFile();

async function epochOf(name: string): Promise<number> {
  const [first] = cluster().instances;
  if (!first) throw new Error('There is no instance');
  return (await reader(first.server, name).updates(name, { limit: 1 })).epoch;
}

const takeBackup = async () => closing(await backUp(cluster().databaseUrl, cluster().postgres.url));

const begin = (name: string): Promise<Crowd> =>
  gather({ cluster: cluster(), name, random: seededRandom(seed), each: 5 });

/** Everybody's words are in the log under their own name, whoever else brought them back. */
function expectOwnNames(crowd: Crowd, rows: readonly LogRow[]): void {
  const names = new Map(
    crowd.groups.flatMap(({ sessions, prefix }) =>
      sessions.map(({ document }, index) => [document.clientID, `${prefix}-${index}`] as const),
    ),
  );
  for (const row of rows) {
    const authors = [...Y.parseUpdateMeta(bytesOf(row)).from.keys()].map((client) => names.get(client));
    expect(new Set([row.actor, ...authors]), `row ${row.seq}, ${row.kind}`).toEqual(new Set([row.actor]));
  }
}

async function expectAnotherHistory(crowd: Crowd, before: number): Promise<void> {
  const name = crowd.groups[0]?.name ?? '';
  await until(async () => (await epochOf(name)) > before, { what: 'another epoch' });
  await crowd.progress(20);
  await crowd.hearEachOther('on the restored history');
  const rows = await expectConvergence(cluster(), crowd.groups);
  expect(await epochOf(name)).toBeGreaterThan(before);
  expectOwnNames(crowd, rows);
}

test(`P2.13 a database that is put back under 15 writers starts another history, which has all that they still hold (seed ${seed})`, async () => {
  const crowd = await begin('put back');
  const before = await epochOf('put back');
  const backup = await takeBackup();
  await crowd.progress(100);
  await backup.restore();
  await expectAnotherHistory(crowd, before);
});

test(`P2.13 also when nobody who writes was known to the back-up (seed ${seed})`, async () => {
  const name = 'put back far';
  await cluster().as({ sub: 'owner' }).createDocument(name);
  const before = await epochOf(name);
  const backup = await takeBackup();
  const crowd = await begin(name);
  await crowd.progress(100);
  await backup.restore();
  await expectAnotherHistory(crowd, before);
});

/** Somebody comes, writes, and is gone again. */
async function writeAndLeave({ server }: Instance, name: string, words: string): Promise<void> {
  const token = server.token({ sub: 'owner' });
  const session = closing(openSession({ url: server.wsUrl, name, token }));
  await session.opened();
  session.text.insert(0, words);
  await session.saved();
  session.close();
}

test('P2.13 a document that nobody had open while the database was put back has another history too', async () => {
  const { instances } = cluster();
  const [first, second] = instances;
  if (!first || !second) throw new Error('The cluster is too small');
  const name = 'closed';
  const owner = first.server.as({ sub: 'owner' });
  await owner.createDocument(name);
  await writeAndLeave(first, name, 'kept. ');
  const backup = await takeBackup();
  await writeAndLeave(first, name, 'lost. ');
  await writeAndLeave(second, name, 'lost too. ');
  const before = await owner.updates(name);
  expect(before.rows).toHaveLength(3);
  await until(async () => (await Promise.all(instances.map(openDocuments))).every((open) => open === 0), {
    timeout: 20_000,
    interval: 200,
    what: 'nobody to have a document open',
  });
  await backup.restore();
  await until(async () => (await epochOf(name)) > before.epoch, { what: 'another epoch' });
  for (const { server } of instances) {
    await expect(server.as({ sub: 'owner' }).updates(name, { after: before.next })).rejects.toMatchObject({
      code: 'cursor-epoch',
    });
  }
  for (const instance of instances) await writeAndLeave(instance, name, `from ${instance.name}. `);
  const rows = await owner.log(name);
  expectGapless(rows);
  const document = new Y.Doc();
  for (const row of rows) Y.applyUpdate(document, bytesOf(row));
  expect(document.getText('body').toJSON()).toBe('from c. from b. from a. kept. ');
});

const openDocuments = (instance: Instance) => metricOf(instance, 'weft_documents');
