import type * as version4 from '@hocuspocus/provider';
import { createDatabase, differences, openSession, startWeft, until, type WeftServer } from '@weft/harness';
import * as version2 from 'hocuspocus-provider-2';
import * as version3 from 'hocuspocus-provider-3';
import { expect, inject, test } from 'vitest';
import WebSocket from 'ws';
import * as Y from 'yjs';
import { closing } from '../shared/clean-up.ts';

type Library = Pick<typeof version4, 'HocuspocusProvider' | 'HocuspocusProviderWebsocket'>;

interface Person {
  readonly provider: version4.HocuspocusProvider;
  readonly document: Y.Doc;
  readonly text: Y.Text;
  readonly refusals: readonly string[];
  synced(): Promise<unknown>;
  saved(): Promise<unknown>;
  close(): void;
}

const VERSIONS = [
  { version: 2, library: version2 as unknown as Library },
  { version: 3, library: version3 as unknown as Library },
];

/** Opens the document `page` as the documentation of that version says. */
function open(library: Library, { server, token }: { server: WeftServer; token: string }): Person {
  const websocketProvider = new library.HocuspocusProviderWebsocket({
    url: server.wsUrl,
    WebSocketPolyfill: WebSocket,
    // Stock waits 1 s, then up to 30 s; a test that restarts a server would mostly wait.
    delay: 100,
    minDelay: 50,
    maxDelay: 400,
  });
  const document = new Y.Doc();
  const refusals: string[] = [];
  const provider = new library.HocuspocusProvider({
    websocketProvider,
    name: 'page',
    document,
    token,
    onAuthenticationFailed: ({ reason }) => refusals.push(reason),
  });
  // Version 2 is attached from the start, and has no word for it.
  (provider as Partial<Pick<typeof provider, 'attach'>>).attach?.();
  return {
    provider,
    document,
    text: document.getText('body'),
    refusals,
    synced: () => until(() => provider.isSynced, { what: 'the document' }),
    // Not the count itself: version 2 counts what it wrote offline once less than it is acknowledged.
    saved: () => until(() => provider.isSynced && !provider.hasUnsyncedChanges, { what: 'saving' }),
    close: () => {
      provider.destroy();
      websocketProvider.destroy();
    },
  };
}

test.for(VERSIONS)(
  'P9.30 people with version $version of the stock provider write with those of the present one, through a crash of the server',
  async ({ library }) => {
    const server = closing(await startWeft({ databaseUrl: await createDatabase(inject('postgresUrl')) }));
    await server.as({ sub: 'olga' }).createDocument('page');
    const token = server.token({ sub: 'olga', name: 'Olga' });
    const older = closing(open(library, { server, token }));
    const present = closing(openSession({ url: server.wsUrl, name: 'page', token }));
    await Promise.all([older.synced(), present.saved()]);

    older.text.insert(0, 'older ');
    older.provider.setAwarenessField('cursor', 7);
    present.text.insert(0, 'present ');
    await until(() => differences({ older: older.document, present: present.document }).length === 0);
    await Promise.all([older.saved(), present.saved()]);
    const shown = () => present.provider.awareness?.getStates().get(older.document.clientID);
    await until(() => shown()?.cursor === 7);
    expect(shown()).toMatchObject({ user: { id: 'olga', name: 'Olga' } });

    await server.kill9();
    older.text.insert(0, 'offline ');
    await server.start();
    await Promise.all([older.saved(), present.saved()]);
    await until(() => present.text.toJSON().includes('offline'));
    expect(differences({ older: older.document, present: present.document })).toEqual([]);
    expect(older.refusals).toEqual([]);
  },
);

test.for(VERSIONS)(
  'P9.30 version $version of the stock provider is told why it is refused',
  async ({ library }) => {
    const server = closing(await startWeft({ databaseUrl: await createDatabase(inject('postgresUrl')) }));
    const olga = server.as({ sub: 'olga' });
    await olga.createDocument('page');
    await olga.grant('page', 'user:vera', 'viewer');

    const stranger = closing(open(library, { server, token: 'not.a.token' }));
    await until(() => stranger.refusals.includes('token-invalid'));

    const vera = closing(open(library, { server, token: server.token({ sub: 'vera' }) }));
    await vera.synced();
    vera.text.insert(0, 'not hers to write');
    await until(() => vera.refusals.includes('document-rebuild'));
    expect((await olga.updates('page')).rows).toEqual([]);
  },
);

test.for(VERSIONS)(
  'P6.2 P9.30 two tabs of one person with version $version of the stock provider come to rest, and each shows its own',
  async ({ library }) => {
    const server = closing(await startWeft({ databaseUrl: await createDatabase(inject('postgresUrl')) }));
    await server.as({ sub: 'olga' }).createDocument('page');
    const token = server.token({ sub: 'olga', name: 'Olga' });
    const tabs = [
      closing(open(library, { server, token })),
      closing(open(library, { server, token })),
    ] as const;
    const told = tabs.map(() => 0);
    tabs.forEach(({ provider }, index) =>
      provider.awareness?.on('update', (_: unknown, origin: unknown) => {
        if (origin === provider) told[index]!++;
      }),
    );
    await Promise.all(tabs.map((tab) => tab.synced()));
    for (const position of [1, 2, 3]) {
      tabs.forEach(({ provider }, index) => provider.setAwarenessField('cursor', position * 10 + index));
      const shows = (of: 0 | 1, on: 0 | 1) =>
        tabs[on].provider.awareness?.getStates().get(tabs[of].document.clientID)?.cursor ===
        position * 10 + of;
      await until(() => [shows(0, 0), shows(0, 1), shows(1, 0), shows(1, 1)].every(Boolean));
    }
    // Of each of three moves once, and of who is there; in a storm hundreds a second.
    expect(Math.max(...told)).toBeLessThan(20);
  },
);

/** Lexical does so: tabs of a browser with version 2 then tell each other too what they are told by the server. */
function tabOfOneBrowser(options: { server: WeftServer; token: string }): Person {
  const tab = closing(open(version2 as unknown as Library, options));
  void tab.provider.connect();
  return tab;
}

test('P6.2 P6.4 P9.30 tabs of one browser with version 2 come to rest, and are not missed for a moment where they move to another instance', async () => {
  const databaseUrl = await createDatabase(inject('postgresUrl'));
  const options = { databaseUrl, redisUrl: inject('redisUrl'), env: { WEFT_REDIS_PREFIX: 'tabs:' } };
  const servers = [closing(await startWeft(options)), closing(await startWeft(options))] as const;
  const [left, other] = servers;
  await left.as({ sub: 'olga' }).createDocument('page');
  const token = left.token({ sub: 'olga', name: 'Olga' });
  const tabs = [tabOfOneBrowser({ server: left, token }), tabOfOneBrowser({ server: left, token })];
  const sent = tabs.map(() => 0);
  tabs.forEach(({ provider }, index) => provider.on('outgoingMessage', () => sent[index]!++));
  const watcher = closing(openSession({ url: other.wsUrl, name: 'page', token }));
  await Promise.all([...tabs.map((tab) => tab.synced()), watcher.opened()]);
  const cursorOf = ({ document }: Person): unknown =>
    watcher.provider.awareness?.getStates().get(document.clientID)?.['cursor'];
  const move = async (to: number) => {
    tabs.forEach(({ provider }, index) => provider.setAwarenessField('cursor', to + index));
    await until(() => tabs.every((tab, index) => cursorOf(tab) === to + index), {
      timeout: 4_000,
      what: `the cursors at ${to}`,
    });
  };
  for (const to of [1, 3, 5, 7, 9]) await move(to);
  await tabs[0]!.saved();
  // Of each of five moves a handful; in a storm hundreds a second.
  expect(Math.max(...sent)).toBeLessThan(60);

  await left.kill9();
  for (const { provider } of tabs)
    provider.configuration.websocketProvider.setConfiguration({ url: other.wsUrl });
  await Promise.all(tabs.map((tab) => tab.synced()));
  await move(11);
});
