import { createDatabase, openSession, startWeft, until } from '@weft/harness';
import * as encoding from 'lib0/encoding';
import { expect, inject, test } from 'vitest';
import * as Y from 'yjs';
import { closing } from '../shared/clean-up.ts';

const NAME = 'cloth';
/** The first byte of a string that has an origin and a right origin. */
const STRING_BETWEEN = 0x80 | 0x40 | 4;

/** A character whose left neighbour lies right of its right one, as Yjs' undo makes them once in a long while. */
function impossible(author: number): Uint8Array {
  return encoding.encode((encoder) => {
    for (const value of [1, 1, 7, 0]) encoding.writeVarUint(encoder, value);
    encoding.writeUint8(encoder, STRING_BETWEEN);
    for (const value of [author, 3, author, 1]) encoding.writeVarUint(encoder, value);
    encoding.writeVarString(encoder, 'x');
    encoding.writeVarUint(encoder, 0);
  });
}

test('P7.14 an edit in an impossible order ends its session to be rebuilt, at the first time, and nobody sees it', async () => {
  const server = closing(await startWeft({ databaseUrl: await createDatabase(inject('postgresUrl')) }));
  await server.as({ sub: 'olga' }).createDocument(NAME);
  const open = (sub: string) => {
    const token = server.token({ sub, grants: { [NAME]: 'editor' } });
    return closing(openSession({ url: server.wsUrl, name: NAME, token }));
  };
  const [alice, bob] = [open('alice'), open('bob')];
  await Promise.all([alice.opened(), bob.opened()]);
  alice.text.insert(0, 'hello');
  await alice.saved();
  await until(() => bob.text.toJSON() === 'hello');

  Y.applyUpdate(alice.document, impossible(alice.document.clientID), 'undo');
  expect(await alice.event('refused')).toMatchObject({ code: 'document-rebuild', repaired: false });
  expect(await alice.event('closed')).toMatchObject({ code: 'document-rebuild', retryable: false });
  alice.close();

  const rebuilt = open('alice');
  await rebuilt.opened();
  rebuilt.text.insert(5, '!');
  await rebuilt.saved();
  await until(() => bob.text.toJSON() === 'hello!');
  expect(bob.events.some(({ weft }) => weft === 'closed')).toBe(false);
});
