import { randomBytes } from 'node:crypto';
import { ERRORS, SyncType } from '@weft/common';
import {
  clientFrame,
  createDatabase,
  openSession,
  runSeed,
  seededRandom,
  startWeft,
  syncFrame,
  tokenFrame,
  until,
  updateFrame,
  type Session,
  type WeftServer,
} from '@weft/harness';
import * as encoding from 'lib0/encoding';
import { WebSocket } from 'ws';
import { expect, inject, test } from 'vitest';
import * as Y from 'yjs';
import { closing } from '../shared/clean-up.ts';
import { expectAgreement } from '../shared/promises.ts';
import { Writers } from '../shared/writers.ts';

const seed = runSeed();

async function begin(env: Record<string, string> = {}) {
  const server = closing(await startWeft({ databaseUrl: await createDatabase(inject('postgresUrl')), env }));
  await server.as({ sub: 'olga' }).createDocument('cloth');
  const writers = closing(new Writers({ server, name: 'cloth', count: 3, random: seededRandom(seed) }));
  await writers.opened();
  writers.start();
  await writers.progress(20);
  return { server, writers };
}

/** Who means harm, with a stock provider, in a document of her own. */
async function openEve(server: WeftServer): Promise<Session> {
  await server.as({ sub: 'eve' }).createDocument('lair');
  const eve = closing(openSession({ url: server.wsUrl, name: 'lair', token: server.token({ sub: 'eve' }) }));
  await eve.saved();
  return eve;
}

/** Nobody else may have felt it: no disconnect, everything saved, the same document everywhere, the same process. */
async function expectUnharmed(server: WeftServer, writers: Writers): Promise<void> {
  await writers.progress(30);
  writers.pause();
  await writers.allSaved();
  await expectAgreement(server, writers);
  expect(writers.sessions.flatMap(({ socket }) => socket.tap.closes)).toEqual([]);
  expect(server.process.running).toBe(true);
}

interface RawClient {
  readonly socket: WebSocket;
  /** Set when the server ended it. */
  ended: number | undefined;
  close(): void;
}

async function rawClient(server: WeftServer): Promise<RawClient> {
  const socket = new WebSocket(server.wsUrl);
  const client: RawClient = { socket, ended: undefined, close: () => socket.terminate() };
  socket.on('error', () => undefined);
  socket.on('close', (code) => (client.ended = code));
  await until(() => socket.readyState === WebSocket.OPEN, { what: 'a raw connection' });
  return closing(client);
}

test(`P7.1 random bytes, before and after authentication, end at most their own connection (seed ${seed})`, async () => {
  const { server, writers } = await begin();
  const random = seededRandom(seed);
  await server.as({ sub: 'eve' }).createDocument('lair');
  const token = server.token({ sub: 'eve' });
  for (let round = 0; round < 40; round++) {
    const client = await rawClient(server);
    if (round % 2 === 1) client.socket.send(tokenFrame('lair', token));
    for (let sent = 0; sent < 20; sent++) {
      const body = random.bytes(1 + random.integer(200));
      const named = clientFrame('lair', random.integer(12), (encoder) =>
        encoding.writeUint8Array(encoder, body),
      );
      client.socket.send(random.chance(0.5) ? body : named);
    }
    client.socket.send('text is not of this protocol');
    await until(() => client.ended !== undefined || client.socket.bufferedAmount === 0);
    client.close();
  }
  await expectUnharmed(server, writers);
});

test('P7.10 malformed updates are refused, and the third ends the session for good', async () => {
  const { server, writers } = await begin();
  const eve = await openEve(server);
  const corrupt = [
    // One struct of length 0: stock acknowledges it, and can never load the document again.
    Uint8Array.of(1, 1, 5, 0, 0, 0, 0),
    // A struct count of 33,554,431.
    Uint8Array.of(0xff, 0xff, 0xff, 0x0f, 1, 1, 0),
    randomBytes(60),
  ];
  for (const update of corrupt) {
    eve.socket.provider.send(updateFrame('lair', update));
  }
  await until(() => eve.acks.refused.length === 3, { what: 'three refusals' });
  expect(eve.acks.acknowledged.filter(({ as }) => as === 'update')).toEqual([]);
  await until(() => eve.events.some((event) => event.weft === 'closed' && !event.retryable));
  expect(await server.as({ sub: 'eve' }).log('lair')).toEqual([]);
  await expectUnharmed(server, writers);
});

test('P3.21 an update with missing dependencies is not acknowledged, and is asked for again', async () => {
  const { server, writers } = await begin();
  const eve = await openEve(server);
  const elsewhere = new Y.Doc();
  const updates: Uint8Array[] = [];
  elsewhere.on('update', (update: Uint8Array) => updates.push(update));
  elsewhere.getText('body').insert(0, 'first');
  elsewhere.getText('body').insert(5, 'second');
  const [, second] = updates;
  eve.socket.provider.send(updateFrame('lair', second ?? new Uint8Array()));
  await until(() => eve.acks.refused.length === 1, { what: 'the refusal' });
  Y.applyUpdate(eve.document, Y.encodeStateAsUpdate(elsewhere), 'the person');
  await eve.saved();
  const state = await server.as({ sub: 'eve' }).log('lair');
  expect(state.length).toBeGreaterThan(0);
  await expectUnharmed(server, writers);
});

test('P3.21 six in a row with missing dependencies end the connection; one that is complete begins the count anew', async () => {
  const { server, writers } = await begin();
  const eve = await openEve(server);
  const elsewhere = new Y.Doc();
  elsewhere.getText('body').insert(0, 'first');
  const first = Y.encodeStateVector(elsewhere);
  elsewhere.getText('body').insert(5, 'second');
  const second = updateFrame('lair', Y.encodeStateAsUpdate(elsewhere, first));
  const { acks, socket } = eve;
  const sendIncomplete = async (times: number) => {
    for (let sent = 0; sent < times; sent++) {
      const { length } = acks.sent;
      socket.provider.send(second);
      // It is refused, and what the server then asks for is answered.
      await until(() => acks.sent.length === length + 2 && acks.sent.at(-1)?.fate === 'acknowledged');
      expect(acks.sent.at(-2)?.fate).toBe('refused');
    }
  };
  await sendIncomplete(5);
  eve.text.insert(0, 'complete');
  await eve.saved();
  await sendIncomplete(5);
  expect(socket.tap.closes).toEqual([]);
  socket.provider.send(second);
  await until(() => socket.tap.closes.length > 0, { what: 'the end of the connection' });
  expect(socket.tap.closes[0]).toMatchObject({ code: ERRORS['update-missing-dependencies'].close });
  await expectUnharmed(server, writers);
});

test('P7.16 an oversized message ends its connection with a code', async () => {
  const { server, writers } = await begin({ WEFT_MAX_FRAME: '64KiB' });
  const client = await rawClient(server);
  client.socket.send(Buffer.alloc(256 * 1024));
  await until(() => client.ended !== undefined, { what: 'the end of the connection' });
  expect([1009, 4430]).toContain(client.ended);
  await expectUnharmed(server, writers);
});

test('P7.17 a client that asks and does not read is cut off, and the memory stays', async () => {
  const { server, writers } = await begin({ WEFT_MAX_BUFFERED: '1MiB' });
  await server.as({ sub: 'eve' }).createDocument('lair');
  const token = server.token({ sub: 'eve' });
  const filler = closing(openSession({ url: server.wsUrl, name: 'lair', token }));
  await filler.saved();
  filler.text.insert(0, 'x'.repeat(500_000));
  await filler.saved();
  const client = await rawClient(server);
  client.socket.send(tokenFrame('lair', token));
  client.socket.pause();
  const ask = syncFrame('lair', SyncType.Step1, Uint8Array.of(0));
  for (let asked = 0; asked < 400; asked++) client.socket.send(ask);
  await expectUnharmed(server, writers);
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  const resident = Number(/^process_resident_memory_bytes(?:\{.*?\})? (\S+)/m.exec(metrics)?.[1]);
  // 400 answers of half a megabyte each would be 200 MB on top of what the process needs anyway.
  expect(resident).toBeLessThan(300 * 1024 * 1024);
});

test('P7.18 a connection that never authenticates is closed', async () => {
  const { server, writers } = await begin({ WEFT_AUTHENTICATION_TIMEOUT: '500ms' });
  const client = await rawClient(server);
  await until(() => client.ended !== undefined, { timeout: 5_000, what: 'the end of the silent connection' });
  expect(client.ended).toBe(4523);
  await expectUnharmed(server, writers);
});
