import { createDatabase, openSession, until, type Session } from '@weft/harness';
import { expect, inject, onTestFinished, test } from 'vitest';
import { startTestServer, type TestServer } from '../../testing/running-server.ts';

const GRANTS = { '*': 'owner' };

async function startServer(): Promise<TestServer> {
  const server = await startTestServer({ DATABASE_URL: await createDatabase(inject('postgresUrl')) });
  onTestFinished(() => server.remove());
  return server;
}

async function enter(server: TestServer, person: string, name: string): Promise<Session> {
  const token = server.token({ sub: person, grants: GRANTS });
  const session = openSession({ url: `${server.url.replace('http', 'ws')}/collab`, name, token });
  onTestFinished(() => session.close());
  await session.opened();
  return session;
}

async function openDocuments(server: TestServer): Promise<number> {
  const { bytes } = await server.ask('GET', '/metrics');
  return Number(/^weft_documents\S* (\d+)$/m.exec(Buffer.from(bytes).toString())?.[1]);
}

const replacements = [
  { how: 'deleted and made again', code: 204, replace: ['DELETE', undefined] },
  { how: 'closed, to be opened in another mode', code: 200, replace: ['PATCH', { mode: 'strict' }] },
] as const;

test.each(replacements)(
  'P2.15 a document that was $how stays open to everybody when the time comes to put the old one away',
  async ({ code, replace: [method, body] }) => {
    const server = await startServer();
    const ask = server.as({ sub: 'ada', grants: GRANTS });
    await enter(server, 'ada', 'cloth');
    const elsewhere = await enter(server, 'eve', 'elsewhere');
    expect((await ask(method, '/v1/documents/cloth', body && { body })).status).toBe(code);
    if (method === 'DELETE') expect((await ask('PUT', '/v1/documents/cloth', { body: {} })).status).toBe(201);
    const ben = await enter(server, 'ben', 'cloth');
    await until(async () => (await openDocuments(server)) === 2, { what: 'both documents to be open' });
    elsewhere.close();
    // It is put away as late as what is left of the old one, or later.
    await until(async () => (await openDocuments(server)) < 2, { what: 'the other document to be put away' });

    const cleo = await enter(server, 'cleo', 'cloth');
    ben.text.insert(0, 'still ');
    await until(() => cleo.text.toJSON() === 'still ', { what: 'what one writes to reach the other' });
    cleo.text.insert(6, 'here');
    await until(() => ben.text.toJSON() === 'still here', { what: 'the answer' });
    await ben.saved();
    await cleo.saved();
  },
);

test('P2.17 who enters is told which document of its name it is before anything of it', async () => {
  const server = await startServer();
  const ask = server.as({ sub: 'ada', grants: GRANTS });
  const told: string[] = [];
  for (const words of ['old', 'new']) {
    const writer = await enter(server, 'ada', 'cloth');
    writer.text.insert(0, words);
    await writer.saved();
    writer.close();

    const token = server.token({ sub: 'ben', grants: GRANTS });
    const reader = openSession({ url: `${server.url.replace('http', 'ws')}/collab`, name: 'cloth', token });
    onTestFinished(() => reader.close());
    const known = new Promise<readonly string[]>((resolve) => {
      reader.document.once('update', () =>
        resolve(reader.events.flatMap((event) => (event.weft === 'access' ? [event.createdAt] : []))),
      );
    });
    await until(() => reader.text.toJSON() === words, { what: 'the words to arrive' });
    const { body } = await ask('GET', '/v1/documents/cloth');
    expect(await known).toEqual([(body as { createdAt: string }).createdAt]);
    told.push(...(await known));
    await ask('DELETE', '/v1/documents/cloth');
  }
  expect(new Set(told).size).toBe(2);
});
