import { Hocuspocus } from '@hocuspocus/server';
import { documentKey, type Principal } from '@weft/common';
import { openSession, serveStock, until, type Session } from '@weft/harness';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PresenceExtension } from './extension.ts';
import { MemoryPresence } from './memory-presence.ts';

const principal = (user: string): Principal => ({
  tenant: 'default',
  user,
  name: user.toUpperCase(),
  color: '#0ea5e9',
  groups: [],
  scopes: [],
  grants: {},
  expiresAt: 0,
  tokenId: undefined,
});

describe('P6.12 a stock Hocuspocus with the presence extension', () => {
  const sessions: Session[] = [];
  let registry: MemoryPresence;
  let url: string;
  let stop: () => Promise<void>;

  beforeEach(async () => {
    registry = new MemoryPresence({ instance: 'one', grace: 0 });
    const extension = new PresenceExtension({ registry });
    const hocuspocus = new Hocuspocus({
      quiet: true,
      extensions: [extension],
      onAuthenticate: async ({ token }) => ({ principal: principal(token) }),
    });
    const server = await serveStock(hocuspocus);
    url = server.url;
    stop = async () => {
      await server.close();
      await extension.onDestroy();
    };
  });
  afterEach(async () => {
    for (const session of sessions.splice(0)) session.close();
    await stop();
  });

  async function open(user: string): Promise<Session> {
    const session = openSession({ url, name: 'notes', token: user, user: { name: 'whoever' } });
    sessions.push(session);
    await session.opened();
    return session;
  }

  const seenBy = (session: Session) =>
    new Map(
      [...session.provider.awareness!.getStates()].map(([client, state]) => [
        client,
        (state['user'] as { name?: string } | undefined)?.name,
      ]),
    );
  const listed = async () =>
    (await registry.list(documentKey('default', 'notes'))).map(({ person }) => person.id).sort();

  test('P6.12 people are who their token says, and are listed while they are here', async () => {
    const [ada, bob] = [await open('ada'), await open('bob')];
    await until(() => seenBy(bob).get(ada.document.clientID) === 'ADA');
    await until(async () => (await listed()).join() === 'ada,bob');
    expect(seenBy(bob).size).toBe(2);
    const [entry] = await registry.listByUser('default', 'ada');
    await until(async () => (await registry.listByUser('default', 'ada'))[0]?.clientIds.length === 1);
    expect(entry?.person).toEqual({ id: 'ada', name: 'ADA', color: '#0ea5e9' });
    ada.close();
    await until(async () => (await listed()).join() === 'bob');
  });

  test("P6.12 nobody speaks for another's client id", async () => {
    const [ada, eve] = [await open('ada'), await open('eve')];
    await until(() => seenBy(eve).has(ada.document.clientID));
    const awareness = eve.provider.awareness!;
    const meta = awareness.meta.get(ada.document.clientID)!;
    awareness.states.set(ada.document.clientID, { user: { name: 'ada' }, forged: true });
    awareness.meta.set(ada.document.clientID, { ...meta, clock: meta.clock + 50 });
    awareness.emit('update', [{ added: [], updated: [ada.document.clientID], removed: [] }, 'local']);
    eve.provider.setAwarenessField('after', true);
    await until(() => ada.provider.awareness!.getStates().get(eve.document.clientID)?.['after'] === true);
    expect(ada.provider.awareness!.getStates().get(ada.document.clientID)).not.toHaveProperty('forged');
  });
});
