import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { documentKey, type WeftError } from '@weft/common';
import { until } from '@weft/harness';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Role, RoleTable, VIEWER } from '../role.ts';
import { person, plan, TENANT } from '../testing/fixtures.ts';
import { grantSourceContract } from '../testing/source-contract.ts';
import { HttpGrantSource, type HttpGrantSourceOptions, signRequest } from './http.ts';

const SECRET = 'shared with the endpoint, 32 bytes.';
interface Asked {
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

let server: Server;
let url = '';
let asked: Asked[] = [];
let respond: (asked: Asked, response: ServerResponse) => void;
let now = 1_800_000_000_000;

const role =
  (name: string | null, more: object = {}) =>
  (_: Asked, response: ServerResponse) =>
    response.end(JSON.stringify({ role: name, ...more }));

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      const question = { headers: request.headers, body };
      asked.push(question);
      respond(question, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/may`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  asked = [];
  respond = role('editor');
});

const create = (more: Partial<HttpGrantSourceOptions> = {}) =>
  new HttpGrantSource({
    url,
    secret: SECRET,
    roles: new RoleTable(),
    clock: { now: () => now },
    ...more,
  });

grantSourceContract('http', async () => {
  const allowed = new Map<string, string>();
  respond = ({ body }, response) => role(allowed.get(body) ?? null)({ headers: {}, body }, response);
  const source = create();
  return {
    source,
    allow: async (principal, key, name) => {
      const [tenant, document] = [key.slice(0, key.indexOf('/')), key.slice(key.indexOf('/') + 1)];
      allowed.set(JSON.stringify({ tenant, user: principal.user, groups: [], document }), name);
      source.changed({ tenant, pattern: document });
      return principal;
    },
  };
});

describe("P3.30 the integrator's endpoint", () => {
  test('P3.30 is asked with what the token proves, signed, and nothing of the client', async () => {
    await create().resolve(person('alice', { groups: ['b', 'a'], name: 'Alice' }), plan);
    const [{ headers, body } = { headers: {}, body: '' }] = asked;
    expect(JSON.parse(body)).toEqual({ tenant: TENANT, user: 'alice', groups: ['a', 'b'], document: 'plan' });
    expect(headers['weft-signature']).toBe(signRequest(SECRET, String(now / 1_000), body));
    expect(headers['weft-timestamp']).toBe(String(now / 1_000));
    const others = Object.keys(headers).filter((name) => !name.startsWith('weft-'));
    expect(others.sort()).toEqual(
      expect.not.arrayContaining(['authorization', 'cookie', 'x-forwarded-for', 'origin']),
    );
  });

  test('P3.30 once for all who ask at the same time, and again when the answer is old', async () => {
    const source = create({ ttl: 1_000 });
    const ask = () => source.resolve(person('alice'), plan);
    const answers = await Promise.all([ask(), ask(), ask()]);
    expect(asked).toHaveLength(1);
    expect(answers[0]?.expiresAt).toBe(now + 1_000);
    now += 999;
    await ask();
    expect(asked).toHaveLength(1);
    now += 1;
    respond = role(null);
    expect((await ask()).roles).toEqual([]);
    expect(asked).toHaveLength(2);
  });

  test('P3.30 an answer that holds for no time at all is one for those who ask now', async () => {
    const source = create({ ttl: 0 });
    expect((await source.resolve(person('alice'), plan)).roles).toHaveLength(1);
    await source.resolve(person('alice'), plan);
    expect(asked).toHaveLength(2);
  });

  test('P4.15 again, ahead of the end, for whoever needs an answer that holds longer', async () => {
    const source = create({ ttl: 1_000 });
    const { expiresAt: beyond } = await source.resolve(person('alice'), plan);
    now += 500;
    expect((await source.resolve(person('alice'), plan, { beyond })).expiresAt).toBe(now + 1_000);
    expect(asked).toHaveLength(2);
    await source.resolve(person('alice'), plan, { beyond });
    expect(asked).toHaveLength(2);
  });

  test('P4.15 an answer that was on its way for longer than it holds can be used by who waited for it', async () => {
    respond = (_, response) => {
      now += 3_000;
      role('editor')(_, response);
    };
    expect((await create({ ttl: 1_000 }).resolve(person('alice'), plan)).expiresAt).toBeGreaterThan(now);
  });

  test('P3.30 what an answer was on its way for counts towards the time for which it is kept', async () => {
    respond = (question, response) => {
      now += 900;
      role('editor')(question, response);
    };
    const source = create({ ttl: 1_000 });
    await source.resolve(person('alice'), plan);
    now += 99;
    await source.resolve(person('alice'), plan);
    expect(asked).toHaveLength(1);
    now += 1;
    await source.resolve(person('alice'), plan);
    expect(asked).toHaveLength(2);
  });

  test('P3.30 no answer is for another person, group, document or tenant', async () => {
    const source = create();
    await source.resolve(person('alice'), plan);
    respond = role(null);
    const others = [
      [person('bob'), plan],
      [person('alice', { groups: ['x'] }), plan],
      [person('alice'), documentKey(TENANT, 'other')],
      [person('alice', { tenant: 'other' }), documentKey('other', 'plan')],
    ] as const;
    for (const [who, key] of others) expect((await source.resolve(who, key)).roles).toEqual([]);
    expect(asked).toHaveLength(5);
  });

  test('P3.30 an end of the right before the end of the answer counts', async () => {
    respond = role('editor', { expiresAt: now + 500 });
    expect((await create().resolve(person('alice'), plan)).expiresAt).toBe(now + 500);
    respond = role('editor', { expiresAt: now - 1 });
    expect((await create().resolve(person('alice'), plan)).roles).toEqual([]);
  });

  test('P3.30 keeps no more answers than it may', async () => {
    const source = create({ maxCached: 2 });
    for (const user of ['a', 'b', 'a', 'c', 'a', 'b']) await source.resolve(person(user), plan);
    expect(asked.map(({ body }) => (JSON.parse(body) as { user: string }).user)).toEqual([
      'a',
      'b',
      'c',
      'b',
    ]);
  });

  test("P3.30 may name the tenant's own roles, which mean what they mean now, however old the answer", async () => {
    const drafter: Role = { ...VIEWER, name: 'drafter', write: '*' };
    let own = new Map([['drafter', drafter]]);
    let lookedUp = 0;
    const find = async () => {
      lookedUp += 1;
      return own;
    };
    respond = role('drafter');
    const source = create({ definitions: { find } });
    const names = () => source.names(person('alice'), plan);
    const ask = async () =>
      (await source.resolve(person('alice'), plan, names().length > 0 ? { own } : {})).roles;
    expect(names()).toEqual([]);
    expect(await ask()).toEqual([drafter]);
    expect(names()).toEqual(['drafter']);
    own = new Map([['drafter', { ...drafter, write: [] }]]);
    expect(await ask()).toEqual([{ ...drafter, write: [] }]);
    expect([asked.length, lookedUp]).toEqual([1, 1]);
    own = new Map();
    await expect(ask()).rejects.toMatchObject({ code: 'permissions-unavailable' });
    respond = role('viewer');
    expect(await ask()).toEqual([VIEWER]);
  });

  test.each([
    { url: 'http://permissions.example/may' },
    { url: 'ftp://127.0.0.1/x' },
    { url: 'x' },
    { secret: 'short' },
  ])('P3.30 is not used with %j', (options) => expect(() => create(options)).toThrow(TypeError));
});

describe('P4.5 permissions that cannot be checked mean no', () => {
  test.each([
    ['an error', (_, response) => response.writeHead(500).end('{"role":"owner"}')],
    ['forbidden', (_, response) => response.writeHead(403).end('{"role":"owner"}')],
    ['created', (_, response) => response.writeHead(201).end('{"role":"owner"}')],
    ['a redirect', (_, response) => response.writeHead(307, { location: '/may' }).end()],
    ['no answer', () => undefined],
    ['half an answer', (_, response) => response.writeHead(200, { 'content-length': '99' }).write('{"role"')],
    ['no JSON', (_, response) => response.end('editor')],
    ['a list', (_, response) => response.end('["editor"]')],
    ['no role', (_, response) => response.end('{}')],
    ['an unknown role', role('god')],
    ['a role by prototype', role('constructor')],
    ['unknown fields', role('editor', { admin: true })],
    ['an end that is no number', role('editor', { expiresAt: 'never' })],
    ['an endless answer', (_, response) => response.end(`{"role":"${'x'.repeat(50_000)}"}`)],
  ] as [string, typeof respond][])('P4.5 %s', async (_, given) => {
    respond = given;
    await expect(create({ timeout: 300 }).resolve(person('alice'), plan)).rejects.toMatchObject({
      code: 'permissions-unavailable',
    });
  });

  test('P4.5 an answer from where the endpoint redirects to', async () => {
    respond = (question, response) => {
      if (asked.length > 1) role('owner')(question, response);
      else response.writeHead(307, { location: '/elsewhere' }).end();
    };
    await expect(create().resolve(person('alice'), plan)).rejects.toMatchObject({
      code: 'permissions-unavailable',
    });
    expect(asked).toHaveLength(1);
  });

  test('P4.5 a failure is not remembered', async () => {
    const source = create();
    respond = (_, response) => response.writeHead(500).end();
    await expect(source.resolve(person('alice'), plan)).rejects.toThrow();
    respond = role('viewer');
    expect((await source.resolve(person('alice'), plan)).roles).toHaveLength(1);
  });

  test('P4.5 more requests than it may have in flight', async () => {
    const waiting: ServerResponse[] = [];
    respond = (_, response) => waiting.push(response);
    const source = create({ maxInFlight: 1 });
    const first = source.resolve(person('alice'), plan);
    await expect(source.resolve(person('bob'), plan)).rejects.toMatchObject({
      code: 'permissions-unavailable',
    });
    await until(() => waiting.length === 1);
    waiting[0]?.end('{"role":"viewer"}');
    expect((await first).roles).toHaveLength(1);
  });
});

test('P7.19 whoever asks about very many documents leaves room for others', async () => {
  const waiting: ServerResponse[] = [];
  respond = (_, response) => waiting.push(response);
  const source = create({ maxInFlight: 4 });
  const greedy = Array.from({ length: 10 }, (_, n) =>
    source.resolve(person('mallory'), documentKey('acme', `document-${n}`)).then(
      () => 'answered',
      (error: unknown) => (error as WeftError).code,
    ),
  );
  const other = source.resolve(person('alice'), plan);
  await until(() => waiting.length === 3);
  for (const response of waiting) response.end('{"role":"viewer"}');
  expect((await other).roles).toHaveLength(1);
  const refused = (await Promise.all(greedy)).filter((outcome) => outcome === 'permissions-unavailable');
  expect(refused).toHaveLength(8);
});

describe('P4.8 the integrator can say that rights have changed', () => {
  test('P4.8 what was answered under another revision of the permissions counts no more, nor what is on its way', async () => {
    const source = create();
    const rolesAt = async (revision: number) =>
      (await source.resolve(person('alice'), plan, { revision })).roles;
    expect(await rolesAt(1)).toHaveLength(1);
    expect(await rolesAt(1)).toHaveLength(1);
    expect(asked).toHaveLength(1);
    const waiting: ServerResponse[] = [];
    respond = (_, response) => waiting.push(response);
    const before = rolesAt(2);
    await until(() => waiting.length === 1);
    respond = role(null);
    expect(await rolesAt(3)).toEqual([]);
    waiting[0]?.end('{"role":"owner"}');
    await before;
    expect(await rolesAt(3)).toEqual([]);
  });

  test('P4.8 and is asked again at once, also when a question was under way', async () => {
    const waiting: ServerResponse[] = [];
    respond = (_, response) => waiting.push(response);
    const source = create();
    const told: string[] = [];
    await source.watch(({ pattern }) => told.push(pattern));
    const before = source.resolve(person('alice'), plan);
    await until(() => waiting.length === 1);
    source.changed({ tenant: TENANT, pattern: 'pl*' });
    respond = role(null);
    expect((await source.resolve(person('alice'), plan)).roles).toEqual([]);
    waiting[0]?.end('{"role":"owner"}');
    await before;
    expect((await source.resolve(person('alice'), plan)).roles).toEqual([]);
    expect(told).toEqual(['pl*']);
  });
});
