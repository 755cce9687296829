import { setTimeout as delay } from 'node:timers/promises';
import type { Extension } from '@hocuspocus/server';
import { createDatabase, openSession, until, type Session } from '@weft/harness';
import { expect, inject, onTestFinished, test } from 'vitest';
import { startTestServer } from '../../testing/running-server.ts';

/** The server takes ten times as many at once before it slows somebody down. */
const UPDATES_PER_SECOND = 50;
/** More than wait for the end of a turn of the event loop. */
const BEYOND = 150;
const LARGE = 'x'.repeat(10_000);

async function openOn(extensions: readonly Extension[] = []): Promise<Session> {
  const server = await startTestServer(
    {
      DATABASE_URL: await createDatabase(inject('postgresUrl')),
      WEFT_UPDATE_RATE: String(UPDATES_PER_SECOND),
    },
    { extensions },
  );
  onTestFinished(() => server.remove());
  const session = openSession({
    url: `${server.url.replace('http', 'ws')}/collab`,
    name: 'burst',
    token: server.token({ sub: 'ada', grants: { burst: 'owner' } }),
  });
  onTestFinished(() => session.close());
  await session.saved();
  return session;
}

/** An edit that came before one that it builds on would have been refused. */
async function expectNothingRefused(session: Session): Promise<void> {
  await until(() => session.isSaved || session.acks.refused.length > 0, { timeout: 20_000 });
  expect(session.acks.refused).toHaveLength(0);
}

test('P9.16 what is sent in one moment keeps its order, also where some of it is beyond the rate', async () => {
  const ada = await openOn();
  const { text } = ada;
  for (let edit = 0; edit < 10 * UPDATES_PER_SECOND + BEYOND; edit++) text.insert(text.length, '.');
  text.insert(text.length, LARGE);
  await expectNothingRefused(ada);
});

test('P9.16 so it does where a cursor between two edits takes its time', async () => {
  const ada = await openOn([{ beforeHandleAwareness: () => delay(20) }]);
  const { text, provider } = ada;
  for (const word of ['one ', 'two ']) text.insert(text.length, word);
  provider.setAwarenessField('cursor', text.length);
  for (const word of ['three ', 'four ']) text.insert(text.length, word);
  await expectNothingRefused(ada);
});
