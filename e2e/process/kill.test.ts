import {
  createDatabase,
  FaultProxy,
  runSeed,
  seededRandom,
  startWeft,
  until,
  type WeftServer,
} from '@weft/harness';
import { describe, expect, inject, test } from 'vitest';
import { closing } from '../shared/clean-up.ts';
import { expectAgreement, expectLogged } from '../shared/promises.ts';
import { Writers } from '../shared/writers.ts';

const ROUNDS = 10;
const seed = runSeed();

const STORES = [
  { store: 'Postgres', databaseUrl: () => createDatabase(inject('postgresUrl')) },
  { store: 'the embedded Postgres', databaseUrl: async () => undefined },
];

async function begin(databaseUrl: string | undefined): Promise<{ server: WeftServer; proxy: FaultProxy }> {
  const server = closing(await startWeft({ ...(databaseUrl && { databaseUrl }) }));
  const proxy = closing(await FaultProxy.start(server.port));
  return { server, proxy };
}

/** Clients are kept away while the log is read: else they would bring back what the server had lost. */
async function killAndLook(server: WeftServer, proxy: FaultProxy, groups: readonly Writers[]): Promise<void> {
  proxy.refusing = true;
  await server.kill9();
  await until(() => proxy.connections === 0, { what: 'the clients to notice' });
  await server.start();
  for (const writers of groups) await expectLogged(server, writers.name, writers.acknowledged);
  proxy.refusing = false;
}

describe.each(STORES)('on $store', ({ databaseUrl }) => {
  test(`P1.8 ${ROUNDS} times kill -9 under 20 writers, in live and strict documents, loses no acknowledged update (seed ${seed})`, async () => {
    const random = seededRandom(seed);
    const { server, proxy } = await begin(await databaseUrl());
    const owner = server.as({ sub: 'owner' });
    await owner.createDocument('live', { mode: 'live' });
    await owner.createDocument('strict', { mode: 'strict' });
    const groups = [
      { name: 'live', count: 12 },
      { name: 'strict', count: 8 },
    ].map((group) => new Writers({ server, random, url: proxy.through(server.wsUrl), ...group }));
    for (const writers of groups) closing(writers);
    await Promise.all(groups.map((writers) => writers.opened()));
    for (const writers of groups) writers.start();

    for (let round = 1; round <= ROUNDS; round++) {
      await Promise.all(groups.map((writers) => writers.progress(1 + random.integer(100))));
      await killAndLook(server, proxy, groups);
    }

    for (const writers of groups) writers.pause();
    for (const writers of groups) {
      await writers.allSaved();
      const rows = await expectAgreement(server, writers);
      expect(rows.length).toBeGreaterThan(ROUNDS);
      expect(writers.surplus).toBe(0);
    }
  });
});
