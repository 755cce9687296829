import { isRetryable } from '@weft/common';
import { createDatabase, openSession, startWeft, until, type WeftServer } from '@weft/harness';
import { expect, inject, test } from 'vitest';
import * as Y from 'yjs';
import { closing } from '../shared/clean-up.ts';

/** Per minute; ten minutes of it may come at once. */
const RATE = 6;
const BURST = RATE * 10;

function open(server: WeftServer, sub: string, name = 'cloth') {
  const token = server.token({ sub, grants: { '*': 'editor' } });
  return closing(openSession({ url: server.wsUrl, name, token }));
}

/** An update that so many Yjs clients have written. */
function writtenBy(clients: number): Uint8Array {
  const document = new Y.Doc();
  for (let client = 1; client <= clients; client++) {
    document.clientID = client;
    document.getArray('list').push([client]);
  }
  return Y.encodeStateAsUpdate(document);
}

test('P7.8 who comes with ever new Yjs clients is sent away for a while; others and other documents feel nothing', async () => {
  const server = closing(
    await startWeft({
      databaseUrl: await createDatabase(inject('postgresUrl')),
      env: { WEFT_CLIENT_ID_RATE: String(RATE) },
    }),
  );
  const mallory = server.as({ sub: 'mallory', grants: { '*': 'editor' } });
  for (const name of ['cloth', 'other']) await server.as({ sub: 'olga' }).createDocument(name);

  const page = open(server, 'mallory');
  await page.opened();
  page.text.insert(0, 'as always. ');
  await page.saved();
  const submit = (clients: number) =>
    mallory.request('POST', '/v1/documents/cloth/updates', {
      update: Buffer.from(writtenBy(clients)).toString('base64'),
    });
  expect(await submit(BURST)).toMatchObject({ status: 200 });
  expect(await submit(BURST + 1)).toMatchObject({
    status: 429,
    body: { error: { code: 'too-many-client-ids' } },
  });

  const reloaded = open(server, 'mallory');
  reloaded.text.insert(0, 'one page more. ');
  await until(() => reloaded.closes.length > 0, { what: 'the refusal' });
  expect(reloaded.closes[0]).toEqual({ code: 4525, reason: 'too-many-client-ids' });
  expect(isRetryable('too-many-client-ids')).toBe(true);

  page.text.insert(0, 'goes on. ');
  const [elsewhere, bob] = [open(server, 'mallory', 'other'), open(server, 'bob')];
  elsewhere.text.insert(0, 'elsewhere');
  bob.text.insert(0, 'somebody else. ');
  await Promise.all([page.saved(), elsewhere.saved(), bob.saved()]);

  // A new id comes back every ten seconds, and what was written meanwhile with it.
  await reloaded.saved(60_000);
  await until(() => bob.text.toJSON().includes('one page more. '));
});
