import { differences, openSession, until, type Session } from '@weft/harness';
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

async function enter({ server }: ServerAndDatabase, sub: string): Promise<Session> {
  const session = openSession({
    url: `${server.url.replace('http', 'ws')}/collab`,
    name: NAME,
    token: server.token({ sub }),
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
  test.each(['viewer', 'commenter'])(
    'P4.12 who becomes a %s while typing ends up with what all others have, and with nothing unsaved',
    async (role) => {
      const place = await begin(mode);
      const [olga, first] = [await enter(place, 'olga'), await enter(place, 'anna')];
      first.text.insert(0, 'kept');
      await first.saved();
      await demoteWhile(place, role, async () => {
        for (const letter of 'lost') first.text.insert(4, letter);
        await until(() => first.acks.pending === 4, { what: 'it to be on its way' });
      });
      await until(() => first.events.some((event) => event.weft === 'refused'), { what: 'a refusal' });
      const rebuild = () => first.events.some((event) => event.weft === 'closed');
      await until(() => rebuild() || first.isSaved, { what: 'an end of it, one way or the other' });
      // Where her copy could not be mended she is told to drop it.
      const anna = rebuild() ? await enter(place, 'anna') : first;
      olga.text.insert(0, 'well ');
      await until(() => anna.text.toJSON() === 'well kept', { what: 'the same text' });
      expect(differences({ olga: olga.document, anna: anna.document })).toEqual([]);
    },
  );
});
