import {
  createDatabase,
  differences,
  FaultProxy,
  openSession,
  openSocket,
  startWeft,
  until,
  type WeftServer,
} from '@weft/harness';
import { expect, inject, test } from 'vitest';
import * as Y from 'yjs';
import { closing } from '../shared/clean-up.ts';
import { expectLogged } from '../shared/promises.ts';

async function begin(): Promise<WeftServer> {
  const server = closing(await startWeft({ databaseUrl: await createDatabase(inject('postgresUrl')) }));
  for (const name of ['a', 'b', 'c']) await server.as({ sub: 'olga' }).createDocument(name);
  return server;
}

test('P9.7 several documents, and several sessions of one document, share a socket of the stock provider', async () => {
  const server = await begin();
  const url = server.wsUrl;
  const token = server.token({ sub: 'olga' });
  const socket = closing(openSocket({ url }));
  const one = closing(openSession({ url, name: 'a', token, socket }));
  const two = closing(openSession({ url, name: 'b', token, socket }));
  const left = closing(openSession({ url, name: 'c', token, socket, sessionAwareness: true }));
  const right = closing(openSession({ url, name: 'c', token, socket, sessionAwareness: true }));
  const all = [one, two, left, right];
  await Promise.all(all.map((session) => session.saved()));
  all.forEach((session, index) => session.text.insert(0, `written in session ${index}. `));
  await Promise.all(all.map((session) => session.saved()));
  await until(() => differences({ left: left.document, right: right.document }).length === 0);
  expect(left.text.toJSON()).toContain('session 2');
  expect(left.text.toJSON()).toContain('session 3');
  expect(one.text.toJSON()).toBe('written in session 0. ');
  expect(socket.tap.closes).toEqual([]);

  two.close();
  one.text.insert(0, 'the others stay open. ');
  await one.saved();
});

test('P1.10 after a time offline, nothing is lost by a crash in the moment in which the stock counter says that all is saved', async () => {
  const server = await begin();
  const line = closing(await FaultProxy.start(server.port));
  const olga = closing(
    openSession({ url: line.through(server.wsUrl), name: 'a', token: server.token({ sub: 'olga' }) }),
  );
  await olga.saved();
  for (let round = 1; round <= 4; round++) {
    line.refusing = true;
    line.cut();
    await until(() => !olga.provider.synced);
    // The provider sends each of these by itself when the line is back, and then all of them once more.
    for (let edit = 0; edit < 2_000; edit++) olga.text.insert(olga.text.length, `${round}.${edit} `);
    const offline = Y.encodeStateAsUpdate(olga.document);
    const claimed = new Promise<void>((resolve) => {
      const crash = ({ number }: { number: number }) => {
        if (number > 0) return;
        server.process.signal('SIGKILL');
        line.refusing = true;
        olga.provider.off('unsyncedChanges', crash);
        resolve();
      };
      olga.provider.on('unsyncedChanges', crash);
    });
    line.refusing = false;
    await claimed;
    await server.kill9();
    await server.start();
    await expectLogged(server, 'a', [offline]);
    line.refusing = false;
    await olga.saved();
  }
});

test('P9.10 a session that is opened again gets only what it missed', async () => {
  const server = await begin();
  const token = server.token({ sub: 'olga' });
  const writer = closing(openSession({ url: server.wsUrl, name: 'a', token }));
  await writer.saved();
  for (let edit = 0; edit < 300; edit++) {
    writer.text.insert(0, `a paragraph of some length, number ${edit}\n`);
    if (edit % 3 === 0) writer.text.delete(5, 9);
  }
  await writer.saved();
  const line = closing(await FaultProxy.start(server.port));
  const reader = closing(openSession({ url: line.through(server.wsUrl), name: 'a', token }));
  await reader.saved();
  const whole = line.toClient.bytes;
  line.refusing = true;
  line.cut();
  await until(() => !reader.provider.synced);
  writer.text.insert(0, 'missed');
  await writer.saved();
  const before = line.toClient.bytes;
  line.refusing = false;
  await until(() => reader.text.toJSON().startsWith('missed'));
  await reader.saved();
  expect(line.toClient.bytes - before).toBeLessThan(whole / 2);
  expect(differences({ writer: writer.document, reader: reader.document })).toEqual([]);
});
