import { setTimeout as delay } from 'node:timers/promises';
import { createDatabase, openSession, openSocket, until, type Session } from '@weft/harness';
import { beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import { startTestServer, type TestServer } from '../../testing/running-server.ts';

/** The server takes ten times as many at once before it slows somebody down. */
const UPDATES_PER_SECOND = 10;

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({
    DATABASE_URL: await createDatabase(inject('postgresUrl')),
    WEFT_UPDATE_RATE: String(UPDATES_PER_SECOND),
  });
  return () => server.remove();
});

/** A connection on which something else is open, as a page has it that shows several documents. */
async function openPage() {
  const url = `${server.url.replace('http', 'ws')}/collab`;
  const socket = openSocket({ url });
  onTestFinished(() => socket.close());
  const token = server.token({ sub: 'ada', grants: { '*': 'owner' } });
  const open = (name: string): Session => openSession({ url, socket, name, token });
  await open('beside').saved();
  return { open };
}

test('P9.25 a provider that is destroyed and made again at once, as pages that render twice do, has its document', async () => {
  const { open } = await openPage();
  for (const [attempt, pause] of [0, 0, 1, 2, 4, 8].entries()) {
    const first = open(`twice ${attempt}`);
    if (pause > 0) await delay(pause);
    first.close();
    const second = open(`twice ${attempt}`);
    second.text.insert(0, 'written');
    await second.saved(5_000);
    second.close();
  }
});

test('P9.25 what was sent before a document was closed is kept, and its acknowledgements are not given to who opens it again', async () => {
  const { open } = await openPage();
  const first = open('busy');
  await first.saved();
  const edits = 12 * UPDATES_PER_SECOND;
  for (let edit = 0; edit < edits; edit++) first.text.insert(0, '.');
  first.close();
  const second = open('busy');
  second.text.insert(0, '!');
  await second.saved();
  await until(() => second.text.length === edits + 1);
  expect(second.acks.surplus).toBe(0);
});
