import { setTimeout as delay } from 'node:timers/promises';
import { WebSocketStatus } from '@hocuspocus/provider';
import type { Extension } from '@hocuspocus/server';
import {
  createDatabase,
  openSession,
  openSocket,
  until,
  type ClientSocket,
  type Session,
} from '@weft/harness';
import { expect, inject, onTestFinished, test } from 'vitest';
import * as Y from 'yjs';
import { startTestServer } from '../../testing/running-server.ts';

const NAME = 'away';
/** Milliseconds: longer than the first answer on a new connection takes. */
const SLOW = 100;
const SLOWLY: Extension = {
  onAuthenticate: ({ documentName }) => delay(documentName.endsWith(NAME) ? SLOW : 0),
};

interface Page {
  readonly socket: ClientSocket;
  open(name: string, document?: Y.Doc): Session;
}

/** A page that shows several documents on one connection. */
async function openPage(extensions: readonly Extension[] = []): Promise<Page> {
  const DATABASE_URL = await createDatabase(inject('postgresUrl'));
  const server = await startTestServer({ DATABASE_URL }, { extensions });
  onTestFinished(() => server.remove());
  const url = `${server.url.replace('http', 'ws')}/collab`;
  const socket = openSocket({ url });
  onTestFinished(() => socket.close());
  const token = server.token({ sub: 'ada', grants: { '*': 'owner' } });
  return {
    socket,
    open: (name, document) => openSession({ url, socket, name, token, ...(document && { document }) }),
  };
}

async function breakConnection({ provider, tap }: ClientSocket): Promise<void> {
  tap.current?.terminate();
  await until(() => provider.status === WebSocketStatus.Disconnected);
}

const MOMENTS = [
  { when: 'when that is open', extensions: [], beside: false },
  { when: 'while that is being opened', extensions: [SLOWLY], beside: true },
] satisfies readonly { when: string; extensions: readonly Extension[]; beside: boolean }[];

for (const { when, extensions, beside } of MOMENTS) {
  test(`P9.25 the late goodbye of a document that was closed offline does not end the next session, ${when}`, async () => {
    const { socket, open } = await openPage(extensions);
    if (beside) await open('beside').saved();
    const first = open(NAME);
    first.text.insert(0, 'written ');
    await first.saved();
    await breakConnection(socket);
    first.close();

    const second = open(NAME);
    second.text.insert(0, 'offline ');
    await until(() => (socket.tap.authenticated.get(NAME) ?? 0) >= 2);
    second.text.insert(0, 'at once ');
    await second.saved();
    await until(() => second.text.toJSON().includes('written '));
    expect(second.acks.surplus).toBe(0);
    await expectHeard(second);
  });
}

test('P9.25 so it is for a page that renders twice before its connection stands, with one document', async () => {
  const { socket, open } = await openPage();
  const document = new Y.Doc();
  open(NAME, document).close();
  const second = open(NAME, document);
  expect(socket.provider.status).toBe(WebSocketStatus.Connecting);
  second.text.insert(0, 'written ');
  await second.saved();
  await expectHeard(second);
});

test('P9.25 whoever was refused while a goodbye came late is told so', async () => {
  const { socket, open } = await openPage([
    {
      onAuthenticate: async ({ documentName }) => {
        if (!documentName.endsWith(NAME)) return;
        await delay(SLOW);
        throw Object.assign(new Error(), { reason: 'not today' });
      },
    },
  ]);
  await open('beside').saved();
  await breakConnection(socket);
  open(NAME).close();
  const second = open(NAME);
  await until(() => second.authenticationFailures.includes('not today'));
});

test('P9.25 who closes a document and opens it again later stays connected', async () => {
  const { socket, open } = await openPage();
  await open('beside').saved();
  for (let visit = 1; visit <= 3; visit++) {
    const session = open(NAME);
    session.text.insert(0, '.');
    await session.saved();
    await until(() => session.text.length === visit);
    session.close();
  }
  expect(socket.tap.closes).toEqual([]);
});

/** What each writes reaches the other. */
async function expectHeard({ provider, text, socket }: Session): Promise<void> {
  const { name, token } = provider.configuration;
  const other = openSession({ url: socket.provider.url, name, token: token as string });
  onTestFinished(() => other.close());
  await other.saved();
  other.text.insert(0, 'from there ');
  await until(() => text.toJSON().startsWith('from there '));
  text.insert(0, 'from here ');
  await until(() => other.text.toJSON() === text.toJSON() && text.toJSON().startsWith('from here '));
}
