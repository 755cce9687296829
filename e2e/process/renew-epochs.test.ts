import {
  createDatabase,
  differences,
  openSession,
  programArguments,
  startWeft,
  TestProcess,
  until,
} from '@weft/harness';
import { expect, inject, test } from 'vitest';
import { closing } from '../shared/clean-up.ts';

async function renewEpochs(databaseUrl: string): Promise<string> {
  const program = new TestProcess('weft', process.execPath, [...programArguments(), 'renew-epochs'], {
    env: { PATH: process.env.PATH, DATABASE_URL: databaseUrl, WEFT_LOG_LEVEL: 'silent' },
  });
  await until(() => !program.running, { timeout: 30_000, what: 'weft renew-epochs to end' });
  return program.output;
}

test('P2.14 an operator gives all documents a new epoch under running servers, and everybody goes on', async () => {
  const databaseUrl = await createDatabase(inject('postgresUrl'));
  const server = closing(await startWeft({ databaseUrl }));
  const api = server.as({ sub: 'olga' });
  for (const name of ['open', 'closed']) await api.createDocument(name);
  const token = server.token({ sub: 'olga' });
  const sessions = [1, 2].map(() => closing(openSession({ url: server.wsUrl, name: 'open', token })));
  const [first, second] = sessions as [(typeof sessions)[0], (typeof sessions)[0]];
  first.text.insert(0, 'before ');
  await Promise.all(sessions.map((session) => session.saved()));
  const before = await api.updates('open');

  expect(await renewEpochs(databaseUrl)).toContain('new epoch: 2');
  await until(() => sessions.every(({ closes }) => closes.some(({ code }) => code === 4505)));
  second.text.insert(0, 'after ');
  await Promise.all(sessions.map((session) => session.saved()));
  await until(() => differences({ first: first.document, second: second.document }).length === 0);
  expect(first.text.toJSON()).toBe('after before ');

  await expect(api.updates('open', { after: before.next })).rejects.toMatchObject({ code: 'cursor-epoch' });
  const after = await api.updates('open');
  expect(after.epoch).toBeGreaterThan(before.epoch);
  expect(after.head).toBe(before.head + 1);
  expect((await api.updates('closed')).epoch).toBe(after.epoch);

  const audit = await server.as({ sub: 'olga', scope: 'admin' }).request('GET', '/v1/audit');
  expect(audit.body).toMatchObject({
    entries: expect.arrayContaining([
      expect.objectContaining({ action: 'epochs.renew', actor: 'system', detail: { documents: 2 } }),
    ]) as unknown,
  });
});
