import {
  backUp,
  createDatabase,
  differences,
  documentOf,
  FaultProxy,
  openSession,
  startPostgres,
  startWeft,
  until,
  type Session,
  type WeftServer,
} from '@weft/harness';
import { expect, test } from 'vitest';
import { closing } from '../shared/clean-up.ts';
import { bytesOf, expectLogged } from '../shared/promises.ts';

const NAME = 'cloth';
const PEOPLE = ['ana', 'ben', 'cem'];
const TURNS = 60;

async function begin(mode: 'live' | 'strict') {
  const postgres = closing(await startPostgres());
  const toPostgres = closing(await FaultProxy.start(postgres.port));
  const databaseUrl = await createDatabase(postgres.url);
  const server = closing(await startWeft({ databaseUrl: toPostgres.through(databaseUrl) }));
  await server.as({ sub: 'olga' }).createDocument(NAME, { mode });
  const people = PEOPLE.map((sub) => {
    const token = server.token({ sub, grants: { [NAME]: 'editor' } });
    return closing(openSession({ url: server.wsUrl, name: NAME, token }));
  });
  await Promise.all(people.map((person) => person.saved()));
  // Whose Yjs client is whose is in the database.
  for (const [index, { text }] of people.entries()) text.insert(0, `${index}`);
  await Promise.all(people.map((person) => person.saved()));
  await until(() => people.every(({ text }) => text.length === people.length));
  return { postgres, toPostgres, databaseUrl, server, people };
}

/** Everybody in turn writes in the middle of what somebody else has just written, which it cannot do without. */
async function writeIntoEachOther(people: readonly Session[]): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) {
    const text = people[turn % people.length]?.text;
    text?.insert(text.length - 1, `${turn} `);
    await until(() => people.every((person) => person.text.toJSON() === text?.toJSON()), { interval: 1 });
  }
}

async function expectAllUnderTheirOwnNames(server: WeftServer, people: readonly Session[]): Promise<void> {
  await Promise.all(people.map((person) => person.saved()));
  const acknowledged = people.flatMap(({ acks }) => acks.acknowledged.map(({ bytes }) => bytes));
  const rows = await expectLogged(server, NAME, acknowledged);
  const copies = Object.fromEntries(people.map(({ document }, index) => [`${PEOPLE[index]}`, document]));
  await until(() => differences({ ...copies, log: documentOf(...rows.map(bytesOf)) }).length === 0);
  expect(new Set(rows.map(({ actor, kind }) => `${actor} ${kind}`))).toEqual(
    new Set(PEOPLE.map((sub) => `${sub} edit`)),
  );
}

test('P1.22 people who wrote into each other’s words while the database was away all bring back their own after a crash', async () => {
  const { toPostgres, server, people } = await begin('live');
  toPostgres.setMode('stall');
  await writeIntoEachOther(people);
  await server.kill9();
  toPostgres.cut();
  toPostgres.setMode('pass');
  await server.start();
  await expectAllUnderTheirOwnNames(server, people);
});

test('P1.22 also in a strict document, whose database has been put back', async () => {
  const { postgres, databaseUrl, server, people } = await begin('strict');
  const backup = closing(await backUp(databaseUrl, postgres.url));
  await writeIntoEachOther(people);
  await server.kill9();
  await backup.restore();
  await server.start();
  await expectAllUnderTheirOwnNames(server, people);
});
