import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  differences,
  freePort,
  missingFrom,
  openSession,
  RestClient,
  TestProcess,
  until,
  type Session,
} from '@weft/harness';
import { expect, onTestFinished, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');

interface ClusterStatus {
  readonly instances: readonly { readonly id: string; readonly state: string }[];
  readonly documents: readonly {
    readonly name: string;
    readonly positions: readonly { readonly instance: string; readonly sessions: number }[];
  }[];
}

/** The command that people type, without the build before it. */
async function startCluster() {
  const port = await freePort();
  const command = new TestProcess(
    'cluster',
    process.execPath,
    ['--conditions=weft-source', 'scripts/cluster.ts', '--port', String(port)],
    { cwd: ROOT, stdio: ['pipe', 'pipe', 'pipe'] },
  );
  onTestFinished(async () => void (await command.end('SIGINT', 60_000)));
  await until(() => !command.running || command.output.includes('Status '), {
    timeout: 150_000,
    what: 'the cluster',
  });
  if (!command.running) throw new Error(command.output);
  const url = /Open +(\S+)/.exec(command.output)?.[1] ?? '';
  return {
    command,
    url,
    directory: / logs in (\S+)\/log/.exec(command.output)?.[1] ?? '',
    pids: [...command.output.matchAll(/ process (\d+) /g)].map(([, pid]) => Number(pid)),
    async type(line: string, answer: RegExp) {
      const before = command.output.length;
      command.child.stdin?.write(`${line}\n`);
      await until(() => answer.test(command.output.slice(before)), { timeout: 90_000, what: line });
    },
    async token(sub: string, scope?: string) {
      const response = await fetch(`${url}/dev/token`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ sub, ...(scope && { scope }) }),
      });
      return ((await response.json()) as { token: string }).token;
    },
  };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test('P8.9 one command runs a cluster: people on different instances write together while one is killed', async () => {
  const cluster = await startCluster();
  const token = await cluster.token('ada');
  await new RestClient({ url: cluster.url, token }).createDocument('cloth');
  const operator = new RestClient({ url: cluster.url, token: await cluster.token('operator', 'admin') });
  const status = async () => (await operator.request<ClusterStatus>('GET', '/v1/cluster')).body;

  const sessions: Session[] = [];
  onTestFinished(() => sessions.forEach((session) => session.close()));
  const open = async () => {
    const session = openSession({ url: `${cluster.url.replace('http', 'ws')}/collab`, name: 'cloth', token });
    sessions.push(session);
    await session.opened(60_000);
    return session;
  };
  for (let count = 0; count < 6; count++) await open();
  const used = async () => (await status()).documents.find(({ name }) => name === 'cloth')?.positions ?? [];
  const positions = await until(
    async () => {
      const found = await used();
      return found.reduce((sum, { sessions: here }) => sum + here, 0) === 6 ? found : undefined;
    },
    { timeout: 30_000, what: 'all six in the status' },
  );
  expect(
    positions.map(({ instance }) => instance),
    'spread over all of them',
  ).toEqual(['a', 'b', 'c']);

  const write = (text: string) => sessions.forEach((session) => session.text.insert(0, text));
  write('before ');
  await cluster.type('kill b', /b is dead/);
  write('after ');
  await Promise.all(sessions.map((session) => session.saved(90_000)));
  await until(async () => (await status()).instances.find(({ id }) => id === 'b')?.state === 'silent', {
    timeout: 30_000,
    what: 'the status page to miss b',
  });
  await cluster.type('start b', /b runs, process \d+/);
  await until(async () => (await status()).instances.every(({ state }) => state === 'ready'), {
    timeout: 30_000,
    what: 'all three to be ready',
  });

  const fresh = await open();
  const all = () => Object.fromEntries(sessions.map(({ document }, index) => [`session ${index}`, document]));
  await until(() => differences(all()).length === 0, { timeout: 30_000, what: 'all to agree' });
  const acknowledged = sessions.flatMap(({ acks }) => acks.acknowledged.map(({ bytes }) => bytes));
  expect(acknowledged.length).toBeGreaterThan(6);
  expect(missingFrom(fresh.document, acknowledged)).toEqual([]);
  expect(JSON.stringify(fresh.text.toJSON()).match(/before|after/g)).toHaveLength(12);

  for (const session of sessions.splice(0)) session.close();
  expect(await cluster.command.end('SIGINT', 60_000), cluster.command.output).toBe(0);
  expect(cluster.pids.length).toBe(7);
  await until(() => !cluster.pids.some(isAlive), { what: 'everything to have ended' });
  expect(existsSync(cluster.directory)).toBe(false);
});
