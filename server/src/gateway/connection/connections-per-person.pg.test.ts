import { createDatabase, openSession, until } from '@weft/harness';
import { inject, onTestFinished, test } from 'vitest';
import { startTestServer } from '../../testing/running-server.ts';

test('P7.26 a person has so many connections at once, and each that ends makes room', async () => {
  const server = await startTestServer({
    DATABASE_URL: await createDatabase(inject('postgresUrl')),
    WEFT_CONNECTIONS_PER_PERSON: '1',
  });
  onTestFinished(() => server.remove());
  const open = (sub: string) => {
    const token = server.token({ sub, grants: { '*': 'owner' } });
    const session = openSession({ url: server.url.replace('http', 'ws') + '/collab', name: 'plan', token });
    onTestFinished(() => session.close());
    return session;
  };
  const first = open('ada');
  await first.opened();
  const second = open('ada');
  await until(() => second.closes.some(({ reason }) => reason === 'too-many-connections'));
  await open('bob').opened();
  first.close();
  // It comes back by itself.
  await second.opened();
});
