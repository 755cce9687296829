import { FrameType, SyncType } from '@weft/common';
import { createDatabase, differences, documentOf, openSession, openSocket, until } from '@weft/harness';
import * as encoding from 'lib0/encoding';
import pg from 'pg';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { FrameReader } from '../wire/frame-reader.ts';
import { startTestServer } from '../../testing/running-server.ts';
import { SyncResponder } from './sync-responder.ts';

const NAME = 'stored';
const WRITER = { sub: 'ada', grants: { [NAME]: 'owner' } };

interface SyncFrame {
  readonly type: number;
  readonly payload: Uint8Array;
}

test('P12.13 whoever has nothing gets what the log has before the document is made of it', async () => {
  const DATABASE_URL = await createDatabase(inject('postgresUrl'));
  const written = await writeWithSnapshot(DATABASE_URL);
  const server = await startTestServer({ DATABASE_URL, WEFT_COMPACTION: 'no' });
  onTestFinished(() => server.remove());
  const frames = receiveAll(`${server.url.replace('http', 'ws')}/collab`, server.token(WRITER));
  await until(() => frames.some(({ type }) => type === SyncType.Step1));

  // The server's question needs the document: what comes before it was sent without.
  const question = frames.findIndex(({ type }) => type === SyncType.Step1);
  const ahead = frames.slice(0, question);
  expect(ahead.map(({ type }) => type)).toEqual(ahead.map(() => SyncType.Update));
  const received = documentOf(...ahead.map(({ payload }) => payload));
  expect(differences({ received, written })).toEqual([]);

  const other = openSession({
    url: `${server.url.replace('http', 'ws')}/collab`,
    name: NAME,
    token: server.token(WRITER),
  });
  onTestFinished(() => other.close());
  await other.saved();
  other.text.insert(0, 'later ');
  await other.saved();
  await until(() => frames.at(-1)?.type === SyncType.Update);
  const all = documentOf(
    ...frames.flatMap(({ type, payload }) => (type === SyncType.Step1 ? [] : [payload])),
  );
  expect(differences({ all, other: other.document })).toEqual([]);
  expect(frames.filter(({ type }) => type === SyncType.Step2)).toHaveLength(1);
});

test('P2.15 who was sent a document that is deleted before it is open drops it, and brings nothing into the next', async () => {
  const DATABASE_URL = await createDatabase(inject('postgresUrl'));
  await writeWithSnapshot(DATABASE_URL);
  const server = await startTestServer({ DATABASE_URL, WEFT_COMPACTION: 'no' });
  onTestFinished(() => server.remove());
  const ask = server.as(WRITER);
  afterSendingAhead(async () => {
    expect((await ask('DELETE', `/v1/documents/${NAME}`)).status).toBe(204);
    expect((await ask('PUT', `/v1/documents/${NAME}`, { body: {} })).status).toBe(201);
  });
  const url = `${server.url.replace('http', 'ws')}/collab`;
  const socket = openSocket({ url });
  onTestFinished(() => socket.close());
  const enter = () => openSession({ url, socket, name: NAME, token: server.token(WRITER) });
  const early = enter();
  await until(() => early.authenticationFailures.length > 0 || early.isSaved, { what: 'an answer' });
  expect(early.authenticationFailures).toEqual(['document-deleted']);
  expect(early.text.toJSON()).toContain('edit 1');
  early.close();

  const next = enter();
  await next.saved();
  expect(next.text.toJSON()).toBe('');
  expect(socket.tap.closes).toEqual([]);
});

/** Lets something happen between the sending ahead and the making of the document, once. */
function afterSendingAhead(happen: () => Promise<void>): void {
  const { sendAhead } = SyncResponder.prototype;
  const spy = vi.spyOn(SyncResponder.prototype, 'sendAhead');
  spy.mockImplementationOnce(async function (this: SyncResponder, ...args) {
    await sendAhead.apply(this, args);
    await happen();
  });
  onTestFinished(() => spy.mockRestore());
}

/** A document with a snapshot and two rows after it. */
async function writeWithSnapshot(DATABASE_URL: string) {
  const compaction = { WEFT_COMPACTION_ROWS: '10', WEFT_COMPACTION_INTERVAL: '100ms' };
  const server = await startTestServer({ DATABASE_URL, ...compaction });
  const writer = openSession({
    url: `${server.url.replace('http', 'ws')}/collab`,
    name: NAME,
    token: server.token(WRITER),
  });
  await writer.saved();
  for (let edit = 0; edit < 12; edit++) {
    writer.text.insert(0, `edit ${edit} `);
    await writer.saved();
  }
  const database = new pg.Client({ connectionString: DATABASE_URL });
  await database.connect();
  await until(async () => {
    const { rowCount } = await database.query('SELECT FROM documents WHERE snapshot_seq > 0');
    return rowCount === 1;
  });
  await database.end();
  for (const word of ['then ', 'now ']) {
    writer.text.insert(0, word);
    await writer.saved();
  }
  writer.close();
  await server.remove();
  return writer.document;
}

/** A client that has nothing, and keeps what it is sent of the document. */
function receiveAll(url: string, token: string): readonly SyncFrame[] {
  const frames: SyncFrame[] = [];
  const socket = new WebSocket(url);
  onTestFinished(() => socket.terminate());
  const send = (write: (encoder: encoding.Encoder) => void) => {
    const encoder = encoding.createEncoder();
    encoding.writeVarString(encoder, NAME);
    write(encoder);
    socket.send(encoding.toUint8Array(encoder));
  };
  socket.on('open', () => {
    send((encoder) => {
      encoding.writeVarUint(encoder, FrameType.Auth);
      encoding.writeVarUint(encoder, 0);
      encoding.writeVarString(encoder, token);
    });
    send((encoder) => {
      encoding.writeVarUint(encoder, FrameType.Sync);
      encoding.writeVarUint(encoder, SyncType.Step1);
      encoding.writeVarUint8Array(encoder, new Uint8Array([0]));
    });
  });
  socket.on('message', (bytes: Buffer) => {
    const reader = new FrameReader(bytes);
    reader.block();
    if (reader.uint() === FrameType.Sync) frames.push({ type: reader.uint(), payload: reader.block() });
  });
  return frames;
}
