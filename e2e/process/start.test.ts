import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { freePort, openSession, startWeft, TestProcess, until } from '@weft/harness';
import { expect, test } from 'vitest';
import { closing } from '../shared/clean-up.ts';

const REPOSITORY = resolve(import.meta.dirname, '../..');

test('P10.1 npm start runs everything with nothing configured: page, tokens, editor connection, durable log', async () => {
  const port = await freePort();
  const dataDir = mkdtempSync(join(tmpdir(), 'weft-start-'));
  closing({ close: () => rmSync(dataDir, { recursive: true, force: true }) });
  const { PATH, HOME } = process.env;
  // `prestart` builds, which this run has done already; the command is read from where npm reads it.
  const { scripts } = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')) as {
    scripts: { start: string };
  };
  expect(scripts.start).toBe('weft serve');
  const run = () =>
    new TestProcess('npm start', join(REPOSITORY, 'node_modules/.bin/weft'), ['serve'], {
      cwd: dataDir,
      env: { PATH, HOME, PORT: String(port) },
    });
  const url = `http://127.0.0.1:${port}`;
  const ready = () =>
    until(async () => (await fetch(`${url}/readyz`)).status === 200, { timeout: 90_000, what: 'ready' });

  const first = run();
  closing({ close: () => first.end('SIGKILL') });
  await ready();
  await until(() => /development/i.test(first.output), { what: 'the warning' });
  const page = await fetch(url);
  expect(page.status).toBe(200);
  expect(await page.text()).toMatch(/<script/);

  const answer = await fetch(`${url}/dev/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ sub: 'ada', name: 'Ada', color: '#0ea5e9' }),
  });
  expect(answer.status).toBe(200);
  const { token } = (await answer.json()) as { token: string };
  const created = await fetch(`${url}/v1/documents/first`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: '{}',
  });
  expect(created.status).toBeLessThan(300);
  const wsUrl = `ws://127.0.0.1:${port}/collab`;
  const ada = closing(openSession({ url: wsUrl, name: 'first', token }));
  await ada.saved();
  ada.text.insert(0, 'kept');
  await ada.saved();

  await first.end('SIGKILL');
  const second = run();
  closing({ close: () => second.end('SIGKILL') });
  await ready();
  // The secret is kept too: the same token still holds.
  const again = closing(openSession({ url: wsUrl, name: 'first', token }));
  await again.opened();
  expect(again.text.toJSON()).toBe('kept');
});

const REFUSED = [
  { why: 'production without a key', env: { NODE_ENV: 'production' }, says: /WEFT_JWT_SECRET/ },
  { why: 'a reachable address without a key', env: { HOST: '0.0.0.0' }, says: /WEFT_JWT_SECRET/ },
  { why: 'a port that is none', env: { PORT: 'eighty' }, says: /PORT/ },
];

test.each(REFUSED)('P10.2 it refuses to start with $why, and says what to do', async ({ env, says }) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'weft-refused-'));
  closing({ close: () => rmSync(dataDir, { recursive: true, force: true }) });
  const { PATH, HOME } = process.env;
  const weft = new TestProcess('weft', join(REPOSITORY, 'node_modules/.bin/weft'), ['serve'], {
    cwd: dataDir,
    env: { PATH, HOME, ...env },
  });
  closing({ close: () => weft.end('SIGKILL') });
  await until(() => !weft.running, { timeout: 30_000, what: 'the refusal' });
  expect(weft.child.exitCode).not.toBe(0);
  expect(weft.output).toMatch(says);
});

test('P1.7 two servers never share an embedded database', async () => {
  const first = closing(await startWeft());
  await expect(startWeft({ dataDir: first.dataDir, timeout: 90_000 })).rejects.toThrow(
    /in use|locked|another/i,
  );
  expect(await first.readiness()).toBe(200);
});
