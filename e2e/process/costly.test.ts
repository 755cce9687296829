import {
  createDatabase,
  differences,
  FaultProxy,
  openSession,
  seededRandom,
  startWeft,
  until,
  type Session,
} from '@weft/harness';
import { expect, inject, test } from 'vitest';
import * as Y from 'yjs';
import { closing } from '../shared/clean-up.ts';
import { expectAgreement } from '../shared/promises.ts';
import { Writers } from '../shared/writers.ts';

const NAME = 'cloth';
/** More than an update may have between its neighbours without being counted. */
const BETWEEN = 30_000;

async function begin() {
  const server = closing(await startWeft({ databaseUrl: await createDatabase(inject('postgresUrl')) }));
  await server.as({ sub: 'olga' }).createDocument(NAME);
  const token = (sub: string) => server.token({ sub, grants: { [NAME]: 'editor' } });
  const open = (sub: string, url = server.wsUrl): Session =>
    closing(openSession({ url, name: NAME, token: token(sub) }));
  return { server, open };
}

/** Many edits between the first and the last character of what is there. */
async function crowd(session: Session, between = BETWEEN): Promise<void> {
  session.document.transact(() => {
    for (let i = 0; i < between; i++) session.text.insert(1, 'x');
  });
  await session.saved(60_000);
}

test('P7.13 who comes back from offline to a place where very much was written is taken, and goes on', async () => {
  const { server, open } = await begin();
  const line = closing(await FaultProxy.start(server.port));
  const [alice, bob] = [open('alice', line.through(server.wsUrl)), open('bob')];
  await Promise.all([alice.opened(), bob.opened()]);
  bob.text.insert(0, '[]');
  await bob.saved();
  await until(() => alice.text.toJSON() === '[]');

  line.refusing = true;
  line.cut();
  await until(() => !alice.socket.provider.webSocket || alice.closes.length > 0);
  for (const word of ['written ', 'while ', 'offline']) alice.text.insert(alice.text.length - 1, word);
  await crowd(bob);
  line.refusing = false;

  await alice.saved(60_000);
  alice.text.insert(0, 'and goes on ');
  await Promise.all([alice.saved(), bob.saved()]);
  await until(() => differences({ alice: alice.document, bob: bob.document }).length === 0);
  expect(bob.text.toJSON()).toContain('written while offline');
  expect(alice.events.filter(({ weft }) => weft === 'refused')).toEqual([]);
});

test('P7.13 who sends such updates again and again waits for the own share; others feel nothing', async () => {
  const { server, open } = await begin();
  const mallory = open('mallory');
  await mallory.opened();
  mallory.text.insert(0, '[]');
  await mallory.saved();
  const frozen = Y.encodeStateAsUpdate(mallory.document);
  await crowd(mallory);
  const writers = closing(new Writers({ server, name: 'other', count: 3, random: seededRandom(7) }));
  await writers.opened();
  writers.start();
  await writers.progress(20);

  for (let client = 1; client <= 200; client++) {
    const replica = new Y.Doc();
    Y.applyUpdate(replica, frozen);
    const before = Y.encodeStateVector(replica);
    replica.clientID = client;
    replica.getText('body').insert(1, 'y');
    Y.applyUpdate(mallory.document, Y.encodeStateAsUpdate(replica, before), 'forged');
  }
  await writers.progress(200);
  writers.pause();
  await writers.allSaved();
  await expectAgreement(server, writers);
  expect(writers.sessions.flatMap(({ socket }) => socket.tap.closes)).toEqual([]);
  expect(mallory.isSaved).toBe(false);
});

test('P7.13 what is beyond all bounds is refused, and its author rebuilds', async () => {
  const { open } = await begin();
  const [alice, bob] = [open('alice'), open('bob')];
  await Promise.all([alice.opened(), bob.opened()]);
  bob.text.insert(0, '[]');
  await bob.saved();
  await until(() => alice.text.toJSON() === '[]');
  const behind = new Y.Doc();
  Y.applyUpdate(behind, Y.encodeStateAsUpdate(alice.document));
  const before = Y.encodeStateVector(behind);
  behind.getText('body').insert(1, 'y');
  const late = Y.encodeStateAsUpdate(behind, before);
  await crowd(bob, 260_000);

  Y.applyUpdate(alice.document, late, 'offline');
  expect(await alice.event('refused', 20_000)).toMatchObject({ code: 'update-costly', repaired: false });
  expect(await alice.event('closed')).toMatchObject({ code: 'document-rebuild', retryable: false });
  bob.text.insert(0, 'goes on ');
  await bob.saved();
});
