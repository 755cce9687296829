import { AuthType, FrameType, SyncType } from '@weft/common';
import {
  createDatabase,
  differences,
  FaultProxy,
  openSession,
  startWeft,
  until,
  type Session,
  type WeftServer,
} from '@weft/harness';
import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import pg from 'pg';
import { expect, inject, test } from 'vitest';
import { WebSocket } from 'ws';
import * as Y from 'yjs';
import { closing } from '../shared/clean-up.ts';

const DELETIONS = 3_000;
const MISSED = 30;
/** HTTP headers, tokens, state vectors, presence: whatever a reconnect costs when nothing was missed. */
const OVERHEAD = 2_500;

/** A document whose deletions alone are many times as large as what a client misses. */
async function writeWithDeletions(writer: Session): Promise<void> {
  writer.document.transact(() => {
    for (let n = 0; n < DELETIONS; n++) writer.text.insert(0, `a paragraph that will lose a word, ${n}\n`);
  });
  writer.document.transact(() => {
    for (let n = 0; n < DELETIONS; n++) writer.text.delete(n * 30 + 2, 3);
  });
  writer.text.insert(0, 'done\n');
  await writer.saved();
}

async function edit(writer: Session): Promise<void> {
  for (let n = 0; n < MISSED; n++) {
    if (n % 3 === 2) writer.text.delete(200 * n, 7);
    else writer.text.insert(100 * n, `missed ${n}`);
    await writer.saved();
  }
}

async function answers(server: WeftServer): Promise<Record<string, number>> {
  const body = await (await fetch(`${server.url}/metrics`)).text();
  const found = [...body.matchAll(/^weft_syncs_total\{[^}]*answer="(\w+)"[^}]*\} (\d+)/gm)];
  return Object.fromEntries(found.map(([, answer = '', count]) => [answer, Number(count)]));
}

const bytesOfDeletions = (document: Y.Doc) =>
  Y.encodeStateAsUpdate(document, Y.encodeStateVector(document)).length;

test('P9.10 who reconnects to a document with many deletions gets the changes that were missed and little else', async () => {
  const server = closing(await startWeft({ databaseUrl: await createDatabase(inject('postgresUrl')) }));
  await server.as({ sub: 'olga' }).createDocument('a');
  const writer = closing(openSession({ url: server.wsUrl, name: 'a', token: server.token({ sub: 'olga' }) }));
  await writer.saved();
  await writeWithDeletions(writer);
  const line = closing(await FaultProxy.start(server.port));
  const token = server.token({ sub: 'piet', grants: { a: 'editor' } });
  const reader = closing(openSession({ url: line.through(server.wsUrl), name: 'a', token }));
  await reader.saved();
  line.refusing = true;
  line.cut();
  await until(() => !reader.provider.synced);
  await edit(writer);
  const before = line.toClient.bytes;
  line.refusing = false;
  await until(() => differences({ writer: writer.document, reader: reader.document }).length === 0);
  await reader.saved();
  expect(bytesOfDeletions(writer.document)).toBeGreaterThan(4 * OVERHEAD);
  expect(line.toClient.bytes - before).toBeLessThan(OVERHEAD);
  expect(await answers(server)).toMatchObject({ recent: 1 });
  expect(await answers(server)).not.toHaveProperty('completion');
});

test('P9.10 the same on another instance, which has a snapshot of it all and reads what was missed from the log', async () => {
  const databaseUrl = await createDatabase(inject('postgresUrl'));
  const env = { WEFT_COMPACTION_ROWS: '10', WEFT_COMPACTION_INTERVAL: '100ms' };
  const first = closing(await startWeft({ databaseUrl, env }));
  await first.as({ sub: 'olga' }).createDocument('a');
  const writer = closing(openSession({ url: first.wsUrl, name: 'a', token: first.token({ sub: 'olga' }) }));
  const token = first.token({ sub: 'piet', grants: { a: 'editor' } });
  const reader = openSession({ url: first.wsUrl, name: 'a', token });
  await writer.saved();
  await writeWithDeletions(writer);
  await until(() => differences({ writer: writer.document, reader: reader.document }).length === 0);
  reader.close();
  await edit(writer);
  const database = new pg.Client({ connectionString: databaseUrl });
  await database.connect();
  closing({ close: () => database.end() });
  await until(async () => {
    const { rows } = await database.query('SELECT FROM documents WHERE head - snapshot_seq < 10');
    return rows.length === 1;
  });

  const second = closing(await startWeft({ databaseUrl, env: { WEFT_COMPACTION: 'no' } }));
  const line = closing(await FaultProxy.start(second.port));
  const moved = closing(
    openSession({ url: line.through(second.wsUrl), name: 'a', token, document: reader.document }),
  );
  await moved.saved();
  await until(() => differences({ writer: writer.document, moved: moved.document }).length === 0);
  expect(line.toClient.bytes).toBeLessThan(OVERHEAD);
  expect(await answers(second)).toEqual({ log: 1 });
});

/** A server with a document, and a copy that has what came last and not what was deleted before. */
async function copyWithoutDeletion() {
  const server = closing(await startWeft({ databaseUrl: await createDatabase(inject('postgresUrl')) }));
  await server.as({ sub: 'olga' }).createDocument('a');
  const writer = closing(openSession({ url: server.wsUrl, name: 'a', token: server.token({ sub: 'olga' }) }));
  await writer.saved();
  const updates: Uint8Array[] = [];
  writer.document.on('update', (update: Uint8Array) => updates.push(update));
  writer.text.insert(0, 'one two three');
  writer.text.delete(4, 4);
  await writer.saved();
  const deletedAt = Date.now();
  // For this long the server itself allows for another order.
  await until(() => Date.now() - deletedAt > 2_500);
  writer.text.insert(0, 'zero ');
  await writer.saved();
  const [inserted, , later] = updates;
  const copy = new Y.Doc();
  for (const update of [inserted, later]) Y.applyUpdate(copy, update as Uint8Array);
  expect(copy.getText('body').toJSON()).toBe('zero one two three');
  return { server, writer, copy, token: server.token({ sub: 'piet', grants: { a: 'viewer' } }) };
}

test('P9.10 who has newer changes without the older deletions is given those too', async () => {
  const { server, writer, copy, token } = await copyWithoutDeletion();
  const reader = closing(openSession({ url: server.wsUrl, name: 'a', token, document: copy }));
  await until(() => differences({ writer: writer.document, reader: copy }).length === 0);
  await reader.saved();
  expect(await answers(server)).toMatchObject({ recent: 1, completion: 1 });
});

test('P9.10 after a while also a client that never says what it has deleted', async () => {
  const { server, writer, copy, token } = await copyWithoutDeletion();
  const socket = closing(new WebSocket(server.wsUrl));
  socket.on('message', (data: Buffer) => {
    const decoder = decoding.createDecoder(data);
    decoding.readVarString(decoder);
    if (decoding.readVarUint(decoder) !== FrameType.Sync) return;
    const type = decoding.readVarUint(decoder);
    if (type !== SyncType.Step1) Y.applyUpdate(copy, decoding.readVarUint8Array(decoder));
  });
  await until(() => socket.readyState === WebSocket.OPEN);
  socket.send(
    frame(FrameType.Auth, (encoder) => {
      encoding.writeVarUint(encoder, AuthType.Token);
      encoding.writeVarString(encoder, token);
    }),
  );
  socket.send(
    frame(FrameType.Sync, (encoder) => {
      encoding.writeVarUint(encoder, SyncType.Step1);
      encoding.writeVarUint8Array(encoder, Y.encodeStateVector(copy));
    }),
  );
  await until(() => differences({ writer: writer.document, copy }).length === 0, { timeout: 20_000 });
  expect(await answers(server)).toMatchObject({ recent: 1, completion: 1 });
});

function frame(type: number, write: (encoder: encoding.Encoder) => void): Uint8Array {
  const encoder = encoding.createEncoder();
  encoding.writeVarString(encoder, 'a');
  encoding.writeVarUint(encoder, type);
  write(encoder);
  return encoding.toUint8Array(encoder);
}
