import { createDatabase, runSeed, seededRandom, startWeft, until } from '@weft/harness';
import { expect, inject, test } from 'vitest';
import { WebSocket } from 'ws';
import { closing } from '../shared/clean-up.ts';
import { expectAgreement, expectLogged } from '../shared/promises.ts';
import { Writers } from '../shared/writers.ts';

const seed = runSeed();

async function begin(env: Record<string, string> = {}) {
  const databaseUrl = await createDatabase(inject('postgresUrl'));
  const server = closing(await startWeft({ databaseUrl, env }));
  await server.as({ sub: 'owner' }).createDocument('cloth');
  const writers = closing(
    new Writers({ server, name: 'cloth', count: 8, random: seededRandom(seed), pace: 5 }),
  );
  await writers.opened();
  writers.start();
  await writers.progress(100);
  return { server, writers };
}

test(`P8.1 SIGTERM commits what is in flight, asks the clients to come back, and exits 0 in time (seed ${seed})`, async () => {
  const { server, writers } = await begin({ WEFT_DRAIN_SPREAD: '1s', WEFT_SHUTDOWN_TIMEOUT: '8s' });
  const started = performance.now();
  const exitCode = await server.stop();
  expect(exitCode).toBe(0);
  expect(performance.now() - started).toBeLessThan(8_000);

  await until(() => writers.sessions.every(({ socket }) => socket.tap.closes.length > 0));
  for (const { socket } of writers.sessions) {
    const code = socket.tap.closes[0]?.code ?? 0;
    expect(code, 'a code that says: come back').toBeGreaterThanOrEqual(4500);
    expect(code).toBeLessThan(4600);
  }

  await server.start();
  await expectLogged(server, 'cloth', writers.acknowledged);
  writers.pause();
  await writers.allSaved();
  await expectAgreement(server, writers);
});

test('P8.1 a terminal that is closed ends it like SIGTERM, however often that is said', async () => {
  const { server, writers } = await begin({ WEFT_DRAIN_DELAY: '500ms', WEFT_DRAIN_SPREAD: '0s' });
  server.process.signal('SIGHUP');
  await until(async () => (await server.readiness()) === 503, { what: 'draining' });
  server.process.signal('SIGHUP');
  await until(() => !server.process.running, { timeout: 15_000, what: 'the end' });
  expect(server.process.child.exitCode).toBe(0);
  await until(() => writers.sessions.every(({ socket }) => socket.tap.closes.length > 0));
  expect(writers.sessions.map(({ socket }) => socket.tap.closes[0]?.code)).toEqual(Array(8).fill(4500));
});

test('P8.2 while it drains it is alive but not ready, and takes no new connection', async () => {
  const { server } = await begin({
    WEFT_DRAIN_DELAY: '2s',
    WEFT_DRAIN_SPREAD: '1s',
    WEFT_SHUTDOWN_TIMEOUT: '10s',
  });
  server.process.signal('SIGTERM');
  await until(async () => (await server.readiness()) === 503, { what: 'not ready' });
  expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  const late = new WebSocket(server.wsUrl);
  const refused = await new Promise<number | undefined>((resolve) => {
    late.on('unexpected-response', (_request, response) => resolve(response.statusCode));
    late.on('close', (code) => resolve(code));
    late.on('error', () => undefined);
  });
  late.terminate();
  expect([503, 4500]).toContain(refused);
  await until(() => !server.process.running, { timeout: 15_000, what: 'the end' });
  expect(server.process.child.exitCode).toBe(0);
});

test('P8.3 a second signal ends it at once', async () => {
  const { server, writers } = await begin({ WEFT_DRAIN_DELAY: '10s', WEFT_SHUTDOWN_TIMEOUT: '20s' });
  server.process.signal('SIGTERM');
  await until(async () => (await server.readiness()) === 503, { what: 'draining' });
  const started = performance.now();
  server.process.signal('SIGTERM');
  await until(() => !server.process.running, { what: 'the end' });
  expect(performance.now() - started).toBeLessThan(1_500);
  expect(server.process.child.exitCode).not.toBe(0);

  await server.start();
  await expectLogged(server, 'cloth', writers.acknowledged);
});
