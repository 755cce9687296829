import { HocuspocusProvider } from '@hocuspocus/provider';
import { type Configuration, type connectedPayload, Server } from '@hocuspocus/server';
import { until } from '@weft/harness';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type JwtContext, JwtExtension } from './extension.ts';
import { signToken } from './sign.ts';
import { createTokenVerifier } from './verifier.ts';

const SECRET = 'an honest secret of 32 bytes or more';
const closing: (() => void | Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function start(more: Partial<Configuration> = {}, refreshLead?: number): Promise<Server> {
  const jwt = new JwtExtension({
    verifier: createTokenVerifier({ secret: SECRET }),
    ...(refreshLead !== undefined && { refreshLead }),
  });
  const server = new Server({ quiet: true, port: 0, address: '127.0.0.1', extensions: [jwt], ...more });
  await server.listen();
  closing.push(() => server.destroy());
  return server;
}

interface Visit {
  readonly token: () => string;
  readonly refused: string[];
  readonly closed: string[];
  readonly provider: HocuspocusProvider;
}

function visit(server: Server, token: () => string): Visit {
  const refused: string[] = [];
  const closed: string[] = [];
  const provider = new HocuspocusProvider({
    url: server.webSocketURL,
    name: 'plan',
    token,
    onAuthenticationFailed: ({ reason }) => refused.push(reason),
    onClose: ({ event }) => closed.push(event.reason),
  });
  closing.push(() => provider.destroy());
  return { token, refused, closed, provider };
}

/** Whole seconds: of the last of them, part is gone already. */
const tokenOf = (sub: string, expiresIn: number) => signToken(SECRET, { sub, expiresIn });

describe('P3.1 on a stock Hocuspocus', () => {
  test('P3.1 hooks find the principal in the context', async () => {
    const seen: unknown[] = [];
    const server = await start({
      onLoadDocument: async ({ context }) => {
        seen.push((context as { principal?: { user: string } }).principal?.user);
      },
    });
    const { provider } = visit(server, () => tokenOf('alice', 60));
    await until(() => provider.isSynced);
    expect(seen).toEqual(['alice']);
  });

  test('P3.1 a bad token is refused with its code', async () => {
    const server = await start();
    const bad = visit(server, () => `${tokenOf('alice', 60)}x`);
    await until(() => bad.refused.length > 0);
    expect(bad.refused).toContain('token-invalid');
    const none = visit(server, () => '');
    await until(() => none.refused.length > 0);
    expect(none.refused).toContain('token-missing');
    expect(server.hocuspocus.getDocumentsCount()).toBe(0);
  });
});

describe('P3.3 on a stock Hocuspocus', () => {
  test('P3.3 a session ends with its token', async () => {
    const server = await start({}, 0);
    // Asked for another at the last moment it sends the same again; a new one would let it go on, rightly.
    const token = tokenOf('alice', 3);
    const expired = visit(server, () => token);
    await until(() => expired.provider.isSynced);
    await until(() => expired.closed.includes('token-expired'), { timeout: 5_000 });
  });

  test('P3.4 and goes on with the next one, for which the client is asked in time', async () => {
    const server = await start({}, 2_500);
    let asked = 0;
    const visitor = visit(server, () => tokenOf('alice', ++asked === 1 ? 3 : 600));
    await until(() => visitor.provider.isSynced);
    await until(() => asked === 2, { timeout: 5_000 });
    const firstEnd = Date.now() + 3_000;
    await until(() => Date.now() > firstEnd);
    expect(visitor.closed).toEqual([]);
    expect(server.hocuspocus.getConnectionsCount()).toBe(1);
  });

  test('P3.4 the next one is of the same person', async () => {
    const server = await start({}, 59_500);
    let asked = 0;
    const thief = visit(server, () => tokenOf(++asked === 1 ? 'alice' : 'mallory', 60));
    await until(() => thief.closed.includes('token-invalid'), { timeout: 5_000 });
  });

  test('P3.4 and of the same tenant', async () => {
    const server = await start({}, 59_500);
    let asked = 0;
    const next = () =>
      signToken(SECRET, { sub: 'alice', tenant: ++asked === 1 ? 'acme' : 'other', expiresIn: 60 });
    const namesake = visit(server, next);
    await until(() => namesake.closed.includes('token-invalid'), { timeout: 5_000 });
  });
});

test('P12.17 who has left is not watched until the end of their token', async () => {
  vi.useFakeTimers();
  closing.push(() => void vi.useRealTimers());
  const verifier = createTokenVerifier({ secret: SECRET });
  const principal = await verifier.verify(tokenOf('alice', 60));
  const leaving: (() => void)[] = [];
  const connection = { onClose: (leave: () => void) => leaving.push(leave) };
  await new JwtExtension({ verifier }).connected({
    connection,
    context: { principal },
  } as unknown as connectedPayload<JwtContext>);
  expect(vi.getTimerCount()).toBe(1);
  for (const leave of leaving) leave();
  expect(vi.getTimerCount()).toBe(0);
});
