import { createDatabase, runSeed, seededRandom, startWeft, until } from '@weft/harness';
import { expect, inject, test } from 'vitest';
import { closing } from '../shared/clean-up.ts';
import { Follower } from '../shared/follower.ts';
import { expectGapless, expectLogged, reader } from '../shared/promises.ts';
import { Writers } from '../shared/writers.ts';

const seed = runSeed();

test(`P2.1 two servers append to one document, and a reader at its cursor gets exactly 1, 2, 3 … (seed ${seed})`, async () => {
  const databaseUrl = await createDatabase(inject('postgresUrl'));
  const servers = [await startWeft({ databaseUrl }), await startWeft({ databaseUrl })] as const;
  for (const server of servers) closing(server);
  const name = 'shared cloth';
  await servers[0].as({ sub: 'owner' }).createDocument(name);
  const random = seededRandom(seed);
  const groups = servers.map(
    (server, index) => new Writers({ server, name, count: 8, random, prefix: `instance-${index}` }),
  );
  for (const writers of groups) closing(writers);
  await Promise.all(groups.map((writers) => writers.opened()));
  const followers = servers.map((server) => new Follower(reader(server, name), name));
  for (const writers of groups) writers.start();
  await Promise.all(groups.map((writers) => writers.progress(800, 60_000)));
  for (const writers of groups) writers.pause();
  await Promise.all(groups.map((writers) => writers.allSaved()));

  const acknowledged = groups.flatMap((writers) => writers.acknowledged);
  const rows = await expectLogged(servers[1], name, acknowledged);
  for (const follower of followers) {
    await until(() => follower.rows.length >= rows.length, { what: 'the follower to catch up' });
    await follower.stop();
    expectGapless(follower.rows);
    expect(follower.rows).toEqual(rows);
  }
  const actors = new Set(rows.map(({ actor }) => actor.split('-')[1]));
  expect([...actors].sort()).toEqual(['0', '1']);
});
