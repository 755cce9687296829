import {
  createDatabase,
  FaultProxy,
  openSession,
  startWeft,
  until,
  type RestClient,
  type Session,
} from '@weft/harness';
import { expect, inject, test } from 'vitest';
import { closing } from '../shared/clean-up.ts';

async function present(client: RestClient): Promise<string[]> {
  const { body } = await client.request<{ presence: { user: string }[] }>('GET', '/v1/documents/a/presence');
  return body.presence.map(({ user }) => user).sort();
}

test('P6.7 whose connection broke is shown for the configured grace, in the list and in the editors alike', async () => {
  const server = closing(
    await startWeft({
      databaseUrl: await createDatabase(inject('postgresUrl')),
      redisUrl: inject('redisUrl'),
      env: { WEFT_PRESENCE_GRACE: '300ms', WEFT_REDIS_PREFIX: 'grace' },
    }),
  );
  const api = server.as({ sub: 'olga' });
  await api.createDocument('a');
  const line = closing(await FaultProxy.start(server.port));
  const olga = closing(openSession({ url: server.wsUrl, name: 'a', token: server.token({ sub: 'olga' }) }));
  const token = server.token({ sub: 'piet', grants: { a: 'editor' } });
  const user = { name: 'Piet' };
  const piet = closing(openSession({ url: line.through(server.wsUrl), name: 'a', token, user }));
  await Promise.all([olga.saved(), piet.saved()]);
  const shown = () => olga.provider.awareness?.getStates().has(piet.document.clientID);
  await until(async () => shown() && (await present(api)).join() === 'olga,piet');

  line.refusing = true;
  line.cut();
  // By default both would stand for five seconds.
  await until(async () => !shown() && (await present(api)).join() === 'olga', { timeout: 4_000 });
  line.refusing = false;
  await piet.saved();
  await until(async () => shown() && (await present(api)).join() === 'olga,piet');
  expect(piet.authenticationFailures).toEqual([]);
});

test('P6.3 whose access is taken away is gone at once, without the grace of a broken connection', async () => {
  const server = closing(await startWeft({ databaseUrl: await createDatabase(inject('postgresUrl')) }));
  const api = server.as({ sub: 'olga' });
  await api.createDocument('a');
  await api.grant('a', 'user:piet', 'editor');
  const [olga, piet] = ['olga', 'piet'].map((sub) => {
    const session = openSession({
      url: server.wsUrl,
      name: 'a',
      token: server.token({ sub }),
      user: { name: sub },
    });
    return closing(session);
  }) as [Session, Session];
  await Promise.all([olga.saved(), piet.saved()]);
  const shown = () => olga.provider.awareness?.getStates().has(piet.document.clientID);
  await until(async () => shown() && (await present(api)).join() === 'olga,piet');

  await api.revoke('a', 'user:piet');
  await until(async () => !shown() && (await present(api)).join() === 'olga', { timeout: 2_500 });
});
