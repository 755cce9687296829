import { documentKey } from '@weft/common';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { until } from '@weft/harness';
import type { PresenceAnnouncement, PresenceEntry, PresenceRegistry } from '../registry.ts';

export const CONTRACT_GRACE_MS = 300;

/** Somebody in a document. Names are the caller's: a shared Redis sees many of them. */
export function announcement(
  document: string,
  connection: string,
  user: string,
  extra: Partial<PresenceAnnouncement> = {},
): PresenceAnnouncement {
  return {
    document: documentKey('default', document),
    connection,
    person: { id: user, name: user.toUpperCase(), color: '#0369a1' },
    device: undefined,
    clientIds: [],
    since: 1000,
    ...extra,
  };
}

/** What a registry has told, as `+user` and `-user`. */
export function recordEvents(registry: PresenceRegistry): string[] {
  const told: string[] = [];
  registry.subscribe({
    joined: ({ person }) => told.push(`+${person.id}`),
    left: ({ person }) => told.push(`-${person.id}`),
    clientsGone: (_document, clients) => told.push(`x${[...clients].sort().join(',')}`),
  });
  return told;
}

export const connectionsOf = (entries: readonly PresenceEntry[]) =>
  entries.map(({ connection }) => connection);

/** What every presence registry does. `make` gives a started one with a grace of {@link CONTRACT_GRACE_MS}. */
export function presenceContract(name: string, make: () => Promise<PresenceRegistry>): void {
  describe(`P6.9 ${name} knows who is here`, () => {
    let registry: PresenceRegistry;
    let told: string[];
    const here = documentKey('default', 'here');
    const listed = async () => connectionsOf(await registry.list(here));

    beforeEach(async () => {
      registry = await make();
      told = recordEvents(registry);
    });
    afterEach(() => registry.stop());

    test('P6.9 who is announced is listed by document and by person, oldest first', async () => {
      registry.announce(
        announcement('here', 'c2', 'bob', { since: 2000, clientIds: [7], device: 'Firefox' }),
      );
      registry.announce(announcement('here', 'c1', 'alice'));
      registry.announce(announcement('there', 'c3', 'alice', { since: 3000 }));
      await until(async () => (await registry.listByUser('default', 'alice')).length === 2);
      await until(async () => (await listed()).length === 2);
      expect(await listed()).toEqual(['c1', 'c2']);
      expect(connectionsOf(await registry.listByUser('default', 'alice'))).toEqual(['c1', 'c3']);
      expect((await registry.list(here))[1]).toMatchObject({
        person: { id: 'bob', name: 'BOB' },
        clientIds: [7],
        device: 'Firefox',
        since: 2000,
        instance: expect.any(String) as string,
      });
      expect(await registry.listByUser('other', 'alice')).toEqual([]);
      expect(await registry.list(documentKey('other', 'here'))).toEqual([]);
    });

    test('P6.9 the client ids for which somebody stands are known', async () => {
      const clients = async () => [...((await registry.clientsIn(here)) ?? [])].sort();
      registry.announce(announcement('here', 'c1', 'alice', { clientIds: [5, 6] }));
      registry.announce(announcement('here', 'c2', 'bob', { clientIds: [7] }));
      registry.announce(announcement('there', 'c3', 'carol', { clientIds: [8] }));
      await until(async () => (await clients()).join() === '5,6,7');
      registry.leave('c1');
      await until(async () => (await clients()).join() === '7');
    });

    test('P6.9 an announcement that changes nothing else replaces the earlier one', async () => {
      registry.announce(announcement('here', 'c1', 'alice'));
      registry.announce(announcement('here', 'c1', 'alice', { clientIds: [5, 6] }));
      await until(async () => (await registry.list(here))[0]?.clientIds.length === 2);
      expect(await listed()).toEqual(['c1']);
      await until(() => told.length > 0);
      expect(told).toEqual(['+alice']);
    });

    test('P6.3 a clean leave shows at once', async () => {
      registry.announce(announcement('here', 'c1', 'alice'));
      await until(() => told.length === 1);
      registry.leave('c1');
      await until(() => told.length === 2, { timeout: 1000 });
      expect(await listed()).toEqual([]);
      expect(await registry.listByUser('default', 'alice')).toEqual([]);
      expect(told).toEqual(['+alice', '-alice']);
    });

    test('P6.3 a person with two connections leaves with the second', async () => {
      registry.announce(announcement('here', 'c1', 'alice'));
      registry.announce(announcement('here', 'c2', 'alice', { since: 1001 }));
      registry.leave('c1');
      await until(async () => (await listed()).join() === 'c2');
      registry.announce(announcement('here', 'c9', 'bob'));
      await until(() => told.includes('+bob'));
      expect(told).toEqual(['+alice', '+bob']);
      registry.leave('c2');
      await until(() => told.includes('-alice'));
    });

    test('P6.7 a broken connection stays for the grace, then it is gone', async () => {
      registry.announce(announcement('here', 'c1', 'alice'));
      await until(() => told.length === 1);
      const since = performance.now();
      registry.lose('c1');
      expect(await listed()).toEqual(['c1']);
      await until(() => told.length === 2);
      expect(performance.now() - since).toBeGreaterThan(CONTRACT_GRACE_MS - 20);
      expect(await listed()).toEqual([]);
    });

    test.each([
      ['with the same client id', 7],
      ['after a reload, with another one', 8],
    ])('P6.7 who comes back within the grace %s neither left nor joined', async (_, client) => {
      registry.announce(announcement('here', 'c1', 'alice', { clientIds: [7] }));
      registry.lose('c1');
      registry.announce(announcement('here', 'c2', 'alice', { clientIds: [client] }));
      await until(async () => (await listed()).join() === 'c2');
      registry.announce(announcement('here', 'c9', 'bob'));
      await until(() => told.includes('+bob'));
      expect(told).toEqual(['+alice', '+bob']);
    });

    test('P6.7 announcing a broken connection again keeps it', async () => {
      registry.announce(announcement('here', 'c1', 'alice'));
      registry.announce(announcement('here', 'c2', 'bob'));
      registry.lose('c1');
      registry.lose('c2');
      registry.announce(announcement('here', 'c1', 'alice'));
      await until(() => told.includes('-bob'));
      expect(await listed()).toEqual(['c1']);
    });

    test('P6.9 what is unknown is ignored, and a listener that throws hurts nobody', async () => {
      registry.subscribe({
        joined() {
          throw new Error('mine');
        },
      });
      const later = recordEvents(registry);
      registry.leave('nobody');
      registry.lose('nobody');
      registry.announce(announcement('here', 'c1', 'alice'));
      await until(() => later.length === 1);
      expect(await listed()).toEqual(['c1']);
    });
  });
}
