import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type ErrorCode, isRetryable, WeftError } from '@weft/common';
import { until } from '@weft/harness';
import jwt from 'jsonwebtoken';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createTokenVerifier, type TokenVerifier, type TokenVerifierOptions } from './verifier.ts';

let now = 1_800_000_000_000;
const clock = { now: () => now };
const pair = (kind: 'rsa' | 'ec') =>
  kind === 'rsa'
    ? generateKeyPairSync('rsa', { modulusLength: 2_048 })
    : generateKeyPairSync('ec', { namedCurve: 'P-256' });
const rsa = pair('rsa');
const ec = pair('ec');
const jwk = (key: KeyObject, more: object) => ({ ...key.export({ format: 'jwk' }), use: 'sig', ...more });
const token = (key: KeyObject, algorithm: 'RS256' | 'ES256', keyid?: string) =>
  jwt.sign({ sub: 'alice', exp: now / 1_000 + 3_600 }, key, {
    algorithm,
    noTimestamp: true,
    ...(keyid && { keyid }),
  });

let server: Server;
let url = '';
let requests = 0;
let respond: (response: ServerResponse) => void;

const answer = (keys: unknown) => (response: ServerResponse) => response.end(JSON.stringify({ keys }));

beforeEach(async () => {
  requests = 0;
  server = createServer((_, response) => {
    requests += 1;
    respond(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const create = (more: Partial<TokenVerifierOptions> = {}) =>
  createTokenVerifier({ jwksUrl: url, clock, jwksTimeout: 300, ...more });

async function codeOf(text: string, by: TokenVerifier): Promise<ErrorCode | 'accepted'> {
  try {
    await by.verify(text);
    return 'accepted';
  } catch (error) {
    if (error instanceof WeftError) return error.code;
    throw error;
  }
}

describe('P3.9 the keys of an issuer', () => {
  test('P3.9 are fetched once, however many tokens ask', async () => {
    respond = answer([jwk(rsa.publicKey, { kid: 'r' }), jwk(ec.publicKey, { kid: 'e' })]);
    const by = create();
    const tokens = [token(rsa.privateKey, 'RS256', 'r'), token(ec.privateKey, 'ES256', 'e')];
    const people = await Promise.all([...tokens, ...tokens].map((text) => by.verify(text)));
    expect(people.map(({ user }) => user)).toEqual(['alice', 'alice', 'alice', 'alice']);
    expect(requests).toBe(1);
  });

  test('P3.9 a new key is found also after the clock of this machine was set back', async () => {
    onTestFinished(() => void vi.useRealTimers());
    vi.useFakeTimers({ toFake: ['Date'] });
    respond = answer([jwk(rsa.publicKey, { kid: 'r' })]);
    const by = create({ clock: undefined, jwksCooldown: 1 });
    expect(await codeOf(token(rsa.privateKey, 'RS256', 'r'), by)).toBe('accepted');
    vi.setSystemTime(Date.now() - 3_600_000);
    respond = answer([jwk(ec.publicKey, { kid: 'e' })]);
    await until(async () => (await codeOf(token(ec.privateKey, 'ES256', 'e'), by)) === 'accepted');
  });

  test('P3.9 a new key is found, and invented kids do not make us ask again and again', async () => {
    respond = answer([jwk(rsa.publicKey, { kid: 'r' })]);
    const by = create({ jwksCooldown: 10_000 });
    expect(await codeOf(token(rsa.privateKey, 'RS256', 'r'), by)).toBe('accepted');
    now += 10_000;
    respond = answer([jwk(rsa.publicKey, { kid: 'r' }), jwk(ec.publicKey, { kid: 'e' })]);
    expect(await codeOf(token(ec.privateKey, 'ES256', 'e'), by)).toBe('accepted');
    for (let n = 0; n < 100; n++) {
      expect(await codeOf(token(ec.privateKey, 'ES256', `invented${n}`), by)).toBe('token-invalid');
    }
    expect(requests).toBe(2);
    expect(await codeOf(token(rsa.privateKey, 'RS256', 'r'), by)).toBe('accepted');
  });

  test('P3.9 whoever comes with a new key right after a fetch is asked to come back, and gets in then', async () => {
    respond = answer([jwk(rsa.publicKey, { kid: 'r' })]);
    const by = create({ jwksCooldown: 10_000 });
    expect(await codeOf(token(rsa.privateKey, 'RS256', 'r'), by)).toBe('accepted');
    respond = answer([jwk(rsa.publicKey, { kid: 'r' }), jwk(ec.publicKey, { kid: 'e' })]);
    const withNewKey = token(ec.privateKey, 'ES256', 'e');
    const invented = token(ec.privateKey, 'ES256', 'invented');
    for (let n = 1; n < 10; n++) {
      now += 1_000;
      expect(await codeOf(withNewKey, by)).toBe('token-key-unknown');
      expect(await codeOf(invented, by)).toBe('token-key-unknown');
    }
    expect(isRetryable('token-key-unknown')).toBe(true);
    expect(requests).toBe(1);
    now += 1_000;
    expect(await Promise.all([codeOf(invented, by), codeOf(withNewKey, by)])).toEqual([
      'token-invalid',
      'accepted',
    ]);
    expect(requests).toBe(2);
  });

  test('P3.9 an issuer that cannot be asked has said no word of a new key', async () => {
    respond = answer([jwk(rsa.publicKey, { kid: 'r' })]);
    const by = create({ jwksCooldown: 10_000 });
    expect(await codeOf(token(rsa.privateKey, 'RS256', 'r'), by)).toBe('accepted');
    now += 10_000;
    respond = (response) => response.writeHead(503).end();
    expect(await codeOf(token(ec.privateKey, 'ES256', 'e'), by)).toBe('token-key-unknown');
    now += 10_000;
    respond = answer([jwk(ec.publicKey, { kid: 'e' })]);
    expect(await codeOf(token(ec.privateKey, 'ES256', 'e'), by)).toBe('accepted');
  });

  test('P3.9 a key that is withdrawn ends with the age of the set', async () => {
    respond = answer([jwk(rsa.publicKey, { kid: 'r' }), jwk(ec.publicKey, { kid: 'e' })]);
    const by = create({ jwksMaxAge: 60_000 });
    expect(await codeOf(token(ec.privateKey, 'ES256', 'e'), by)).toBe('accepted');
    respond = answer([jwk(rsa.publicKey, { kid: 'r' })]);
    now += 60_000;
    expect(await codeOf(token(ec.privateKey, 'ES256', 'e'), by)).toBe('token-invalid');
  });

  test('P3.9 a kid of one issuer is no key of another', async () => {
    respond = answer([jwk(rsa.publicKey, { kid: 'k' })]);
    const one = create();
    expect(await codeOf(token(rsa.privateKey, 'RS256', 'k'), one)).toBe('accepted');
    respond = answer([jwk(ec.publicKey, { kid: 'k' })]);
    expect(await codeOf(token(rsa.privateKey, 'RS256', 'k'), create())).toBe('token-invalid');
  });

  test('P3.9 a token without kid, and keys that are none of ours, are refused', async () => {
    const weak = generateKeyPairSync('rsa', { modulusLength: 1_024 });
    respond = answer([
      jwk(rsa.publicKey, { kid: 'pss', alg: 'PS256' }),
      jwk(rsa.publicKey, { kid: 'enc', use: 'enc' }),
      jwk(weak.publicKey, { kid: 'weak' }),
      { kty: 'oct', k: Buffer.alloc(32).toString('base64url'), kid: 'oct' },
      jwk(ec.publicKey, { kid: 'e' }),
    ]);
    const by = create();
    expect(await codeOf(token(ec.privateKey, 'ES256'), by)).toBe('token-invalid');
    for (const kid of ['pss', 'enc', 'weak', 'oct']) {
      expect(await codeOf(token(rsa.privateKey, 'RS256', kid), by)).toBe('token-invalid');
    }
    expect(await codeOf(token(ec.privateKey, 'ES256', 'e'), by)).toBe('accepted');
  });
});

describe('P4.6 keys that cannot be had mean no', () => {
  const text = token(rsa.privateKey, 'RS256', 'r');

  test.each([
    ['an error', (response: ServerResponse) => response.writeHead(500).end()],
    ['a redirect', (response: ServerResponse) => response.writeHead(302, { location: '/elsewhere' }).end()],
    ['no answer', () => undefined],
    ['no JSON', (response: ServerResponse) => response.end('<html>')],
    ['no key set', answer({ r: 'x' })],
    ['no keys', answer([])],
    ['too many keys', answer(Array.from({ length: 101 }, () => jwk(rsa.publicKey, { kid: 'r' })))],
    ['an endless answer', (response: ServerResponse) => response.end(`{"keys":["${'x'.repeat(300_000)}"]}`)],
  ] as [string, (response: ServerResponse) => void][])('P4.6 %s', async (_, given) => {
    respond = given;
    expect(await codeOf(text, create())).toBe('permissions-unavailable');
  });

  test('P4.6 nobody notices an outage at the end of a set that was asked for in time', async () => {
    respond = answer([jwk(rsa.publicKey, { kid: 'r' })]);
    const by = create({ jwksMaxAge: 60_000 });
    expect(await codeOf(text, by)).toBe('accepted');
    now += 30_000;
    expect(await codeOf(text, by)).toBe('accepted');
    await until(() => requests === 2, { what: 'the next set to be asked for' });
    respond = (response) => response.writeHead(503).end();
    for (const pause of [30_000, 10_000, 19_999]) {
      now += pause;
      expect(await codeOf(text, by)).toBe('accepted');
    }
    now += 1;
    expect(await codeOf(text, by)).toBe('permissions-unavailable');
  });

  test('P4.6 the known set outlives a short outage, not a long one', async () => {
    respond = answer([jwk(rsa.publicKey, { kid: 'r' })]);
    const by = create({ jwksMaxAge: 60_000 });
    expect(await codeOf(text, by)).toBe('accepted');
    respond = (response) => response.writeHead(503).end();
    now += 59_999;
    expect(await codeOf(text, by)).toBe('accepted');
    now += 1;
    expect(await codeOf(text, by)).toBe('permissions-unavailable');
    respond = answer([jwk(rsa.publicKey, { kid: 'r' })]);
    now += 10_000;
    expect(await codeOf(text, by)).toBe('accepted');
  });
});
