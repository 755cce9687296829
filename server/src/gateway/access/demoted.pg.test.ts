import { differences, openSession, until, type ClientSocket, type Session } from '@weft/harness';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startServerAndDatabase, type ServerAndDatabase } from '../../testing/server-and-database.ts';

const NAME = 'cloth';

async function begin(mode: string): Promise<ServerAndDatabase> {
  const place = await startServerAndDatabase();
  const owner = place.server.as({ sub: 'olga' });
  await owner('PUT', `/v1/documents/${NAME}`, { body: { mode } });
  await owner('PUT', `/v1/documents/${NAME}/grants/user:anna`, { body: { role: 'editor' } });
  return place;
}

async function enter(
  { server }: ServerAndDatabase,
  sub: string,
  place: { readonly name?: string; readonly socket?: ClientSocket } = {},
): Promise<Session> {
  const session = openSession({
    url: `${server.url.replace('http', 'ws')}/collab`,
    name: NAME,
    token: server.token({ sub }),
    ...place,
  });
  onTestFinished(() => session.close());
  await session.saved();
  return session;
}

/** Changes Anna's role so that it is in force at the very moment at which what she types meanwhile is to be logged. */
async function demoteWhile(
  { database }: ServerAndDatabase,
  role: string,
  type: () => Promise<unknown>,
): Promise<void> {
  await database.query('BEGIN');
  await database.query('UPDATE documents SET policy_rev = policy_rev + 1 WHERE name = $1', [NAME]);
  await database.query('UPDATE grants SET role = $1 WHERE subject = $2', [role, 'user:anna']);
  await type();
  await database.query('COMMIT');
}

describe.each(['live', 'strict'])('in a %s document', (mode) => {
  test('P9.16 who loses all access while typing is told so, and nothing after it', async () => {
    const place = await begin(mode);
    const anna = await enter(place, 'anna');
    await demoteWhile(place, 'gone', async () => {
      await place.database.query('DELETE FROM grants WHERE subject = $1', ['user:anna']);
      for (const letter of 'lost') anna.text.insert(0, letter);
      await until(() => anna.acks.pending === 4, { what: 'it to be on its way' });
    });
    const refused = () => place.database.query(`SELECT FROM audit WHERE action LIKE 'update%'`);
    await until(async () => (await refused()).rowCount !== 0, { what: 'it to be refused' });
    // One socket keeps the order: with this document, whatever else the server had to say has come.
    await place.server.as({ sub: 'anna' })('PUT', '/v1/documents/hers', { body: {} });
    await enter(place, 'anna', { name: 'hers', socket: anna.socket });
    expect(anna.events.at(-1)).toMatchObject({ weft: 'closed', code: 'access-removed' });
  });

  test.each([
    ['viewer', 'write-forbidden'],
    ['commenter', 'root-forbidden'],
  ])(
    'P4.12 who becomes a %s while typing is told %s, and ends up with what all others have, and with nothing unsaved',
    async (role, code) => {
      const place = await begin(mode);
      const [olga, first] = [await enter(place, 'olga'), await enter(place, 'anna')];
      first.text.insert(0, 'kept');
      await first.saved();
      await demoteWhile(place, role, async () => {
        for (const letter of 'lost') first.text.insert(4, letter);
        await until(() => first.acks.pending === 4, { what: 'it to be on its way' });
      });
      const refusal = () => first.events.find((event) => event.weft === 'refused');
      await until(() => refusal() !== undefined, { what: 'a refusal' });
      expect(refusal()).toMatchObject({ code });
      const rebuild = () => first.events.some((event) => event.weft === 'closed');
      await until(() => rebuild() || first.isSaved, { what: 'an end of it, one way or the other' });
      // Where her copy could not be mended she is told to drop it.
      const anna = rebuild() ? await enter(place, 'anna') : first;
      olga.text.insert(0, 'well ');
      await until(() => anna.text.toJSON() === 'well kept', { what: 'the same text' });
      expect(differences({ olga: olga.document, anna: anna.document })).toEqual([]);
    },
  );

  test('P4.12 who saw what somebody deleted who might not any more ends up with what there was', async () => {
    const place = await begin(mode);
    const [olga, anna] = [await enter(place, 'olga'), await enter(place, 'anna')];
    anna.text.insert(0, 'kept');
    await Promise.all([anna.saved(), until(() => olga.text.toJSON() === 'kept')]);
    await demoteWhile(place, 'viewer', async () => {
      anna.text.delete(0, 2);
      await until(() => anna.acks.pending === 1, { what: 'it to be on its way' });
      if (mode === 'live') await until(() => olga.text.toJSON() === 'pt', { what: 'it to be shown' });
    });
    for (const session of [olga, anna]) {
      const isToldToDrop = () => session.events.some((event) => event.weft === 'closed');
      await until(() => isToldToDrop() || session.text.toJSON() === 'kept', { what: 'an end of it' });
    }
    expect((await enter(place, 'olga')).text.toJSON()).toBe('kept');
  });
});
