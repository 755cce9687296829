import {
  createDatabase,
  FaultProxy,
  openSession,
  runSeed,
  seededRandom,
  startPostgres,
  startWeft,
  until,
} from '@weft/harness';
import { expect, test } from 'vitest';
import { closing } from '../shared/clean-up.ts';
import { expectAgreement, expectLogged } from '../shared/promises.ts';
import { Writers } from '../shared/writers.ts';

const seed = runSeed();

async function begin(prefix: string) {
  const postgres = closing(await startPostgres());
  const server = closing(await startWeft({ databaseUrl: await createDatabase(postgres.url) }));
  await server.as({ sub: 'owner' }).createDocument('cloth');
  const writers = closing(
    new Writers({ server, name: 'cloth', count: 6, random: seededRandom(seed), prefix }),
  );
  await writers.opened();
  writers.start();
  await writers.progress(100);
  return { postgres, server, writers };
}

test(`P1.5 while Postgres is away people write on live, nothing is acknowledged, and all is saved in order when it is back (seed ${seed})`, async () => {
  const { postgres, server, writers } = await begin('away');

  await postgres.stop('SIGINT');
  const status = async () => {
    const response = await fetch(`${server.url}/readyz`);
    return ((await response.json()) as { status: string }).status;
  };
  await until(async () => (await status()) === 'degraded', { what: 'the server to say that it is degraded' });
  const acknowledgedThen = writers.acknowledgedCount;
  const editsThen = writers.edits;
  await until(() => writers.edits > editsThen + 300, { what: 'people to go on writing' });
  writers.pause();
  const [first, second] = writers.sessions;
  first?.text.insert(0, 'written while the log was away; ');
  await until(() => second?.text.toJSON().startsWith('written while the log was away; '), {
    what: 'a change to be seen by others while the log is away',
  });
  expect(writers.acknowledgedCount).toBe(acknowledgedThen);
  expect(writers.sessions.some(({ isSaved }) => isSaved)).toBe(false);
  const health = await fetch(`${server.url}/healthz`);
  expect(health.status).toBe(200);
  const newcomer = closing(
    openSession({ url: server.wsUrl, name: 'cloth', token: server.token({ sub: 'newcomer', name: 'New' }) }),
  );
  await until(() => newcomer.closes.length > 1, { what: 'a newcomer to be asked to come back' });

  await postgres.start();
  await writers.allSaved();
  await until(async () => (await status()) === 'ok', { what: 'the server to be all right again' });
  await expectAgreement(server, writers);
  expect(writers.sessions.flatMap(({ closes }) => closes)).toEqual([]);
  const whyNot = newcomer.closes.map(({ reason }) => reason);
  expect(['log-unavailable', 'permissions-unavailable']).toEqual(expect.arrayContaining(whyNot));
});

test(`P1.9 a Postgres that crashes under load again and again costs no acknowledged update (seed ${seed})`, async () => {
  // What the database itself loses is not the server's to keep: fsync is on here.
  const postgres = closing(await startPostgres({ fsync: 'on' }));
  const server = closing(await startWeft({ databaseUrl: await createDatabase(postgres.url) }));
  await server.as({ sub: 'owner' }).createDocument('cloth');
  const writers = closing(new Writers({ server, name: 'cloth', count: 6, random: seededRandom(seed) }));
  await writers.opened();
  writers.start();
  for (let round = 0; round < 4; round++) {
    await writers.progress(50);
    await postgres.stop(round % 2 === 0 ? 'SIGQUIT' : 'SIGKILL');
    await postgres.start();
  }
  await writers.progress(50);
  writers.pause();
  await writers.allSaved();
  await expectLogged(server, 'cloth', writers.acknowledged);
  await expectAgreement(server, writers);
});

test('P1.3 a commit that hangs, and one whose answer is lost, are neither acknowledged early nor stored twice', async () => {
  const postgres = closing(await startPostgres());
  const proxy = closing(await FaultProxy.start(postgres.port));
  const server = closing(
    await startWeft({
      databaseUrl: proxy.through(await createDatabase(postgres.url)),
      env: { WEFT_DATABASE_STATEMENT_TIMEOUT: '2s', WEFT_DATABASE_CONNECT_TIMEOUT: '2s' },
    }),
  );
  await server.as({ sub: 'owner' }).createDocument('cloth');
  const writers = closing(new Writers({ server, name: 'cloth', count: 3, random: seededRandom(seed) }));
  await writers.opened();
  writers.start();
  for (let round = 0; round < 3; round++) {
    await writers.progress(30);
    // Postgres commits, and nobody hears of it.
    proxy.toClient.mode = 'drop';
    await acknowledgementsCease(writers);
    const acknowledgedThen = writers.acknowledgedCount;
    const editsThen = writers.edits;
    await until(() => writers.edits > editsThen + 60);
    expect(writers.acknowledgedCount).toBe(acknowledgedThen);
    proxy.cut();
    proxy.toClient.mode = 'pass';
  }
  await writers.progress(30);
  writers.pause();
  await writers.allSaved();
  const rows = await expectAgreement(server, writers);
  expect(new Set(rows.map(({ update }) => update)).size).toBe(rows.length);
});

/** What had left Postgres before may still be on its way to the clients: resolves when no more of it arrives. */
async function acknowledgementsCease(writers: Writers): Promise<void> {
  for (let before = -1; before !== writers.acknowledgedCount;) {
    before = writers.acknowledgedCount;
    const edits = writers.edits;
    await until(() => writers.edits > edits + 30);
  }
}
