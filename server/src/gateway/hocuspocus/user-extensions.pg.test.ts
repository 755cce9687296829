import { createDatabase, openSession, until, type Session } from '@weft/harness';
import type { Extension } from '@hocuspocus/server';
import { afterAll, beforeAll, beforeEach, expect, inject, onTestFinished, test } from 'vitest';
import { startTestServer, type TestServer } from '../../testing/running-server.ts';

/** What the extension was told, in order. */
const calls: { readonly hook: string; readonly payload: Record<string, unknown> }[] = [];
const kickers = new Set<() => void>();

const note = (hook: string) => async (payload: object) => {
  calls.push({ hook, payload: { ...payload } });
};

const extension: Extension = {
  onConnect: async (payload) => {
    await note('onConnect')(payload);
    return { from: payload.requestParameters.get('from') };
  },
  onAuthenticate: async (payload) => {
    await note('onAuthenticate')(payload);
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- what Hocuspocus documents
    if (payload.documentName.endsWith('closed')) throw { reason: 'closed-for-today' };
    return { greeted: true };
  },
  connected: async (payload) => {
    await note('connected')(payload);
    payload.connection.sendStateless(JSON.stringify({ weft: 'hello' }));
    kickers.add(() => payload.connection.close({ code: 4205, reason: 'kicked' }));
  },
  beforeHandleMessage: note('beforeHandleMessage'),
  beforeSync: async (payload) => {
    await note('beforeSync')(payload);
    if (payload.documentName.endsWith('frozen') && payload.type === 2) throw new Error('frozen');
  },
  onStateless: note('onStateless'),
  onChange: note('onChange'),
  onDisconnect: note('onDisconnect'),
};

let server: TestServer;

beforeAll(async () => {
  const database = await createDatabase(inject('postgresUrl'));
  server = await startTestServer({ DATABASE_URL: database }, { extensions: [extension] });
});
afterAll(() => server.remove());
beforeEach(() => {
  calls.length = 0;
  kickers.clear();
});

async function open(name: string): Promise<Session> {
  const session = openSession({
    url: `${server.url.replace('http', 'ws')}/collab?from=the-office`,
    name,
    token: server.token({ sub: 'ada', grants: { [name]: 'owner' } }),
  });
  onTestFinished(() => session.close());
  return session;
}

const payloadOf = (hook: string) => calls.find((call) => call.hook === hook)?.payload ?? {};

test('P9.15 opening, editing, messages and leaving are told, with the context that hooks have added to', async () => {
  const session = await open('cloth');
  await session.opened();
  session.text.insert(0, 'warp');
  session.provider.sendStateless('ahoy');
  await session.saved();
  await until(() => calls.some(({ hook }) => hook === 'onStateless'));
  session.close();
  await until(() => calls.some(({ hook }) => hook === 'onDisconnect'));

  expect(calls.slice(0, 2).map(({ hook }) => hook)).toEqual(['onConnect', 'onAuthenticate']);
  expect(new Set(calls.map(({ hook }) => hook))).toEqual(new Set(Object.keys(extension)));
  expect(payloadOf('onConnect')).toMatchObject({
    documentName: 'default/cloth',
    socketId: expect.any(String) as string,
  });
  expect(payloadOf('onAuthenticate')).toMatchObject({
    token: expect.any(String) as string,
    context: { principal: { user: 'ada' }, from: 'the-office' },
  });
  const context = { principal: { user: 'ada' }, from: 'the-office', greeted: true };
  expect(payloadOf('connected')).toMatchObject({ context, connectionConfig: { readOnly: false } });
  expect(payloadOf('beforeSync')).toMatchObject({ context, documentName: 'default/cloth' });
  expect(payloadOf('onChange')).toMatchObject({ context, clientsCount: 1 });
  expect(payloadOf('onStateless')).toMatchObject({ payload: 'ahoy', documentName: 'default/cloth' });
  expect(payloadOf('onDisconnect')).toMatchObject({ context, clientsCount: 0 });
  const { requestHeaders } = payloadOf('onDisconnect') as { requestHeaders: Headers };
  expect(requestHeaders.get('upgrade')).toBe('websocket');
  await session.event('hello' as never);
});

test('P9.15 a hook that refuses says why, and nothing is opened', async () => {
  const session = await open('closed');
  await until(() => session.authenticationFailures.length > 0);
  expect(session.authenticationFailures).toEqual(['closed-for-today']);
  expect(calls.map(({ hook }) => hook)).toEqual(['onConnect', 'onAuthenticate']);
});

test('P9.15 an update that a hook refuses is not acknowledged, and its session ends', async () => {
  const session = await open('frozen');
  await session.opened();
  session.text.insert(0, 'weft');
  await until(() => session.authenticationFailures.length > 0);
  expect(session.authenticationFailures).toEqual(['forbidden']);
  expect(session.acks.acknowledged.map(({ as }) => as)).toEqual(['sync-step-2']);
});

test('P9.15 a hook ends a session through its connection', async () => {
  const session = await open('short');
  await session.opened();
  for (const kick of kickers) kick();
  await until(() => session.closes.length > 0);
  expect(session.closes[0]?.reason).toBe('kicked');
  await until(() => calls.some(({ hook }) => hook === 'onDisconnect'));
});
