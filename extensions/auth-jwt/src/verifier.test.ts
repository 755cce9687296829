import { createHmac, generateKeyPairSync, sign as signBytes } from 'node:crypto';
import { type ErrorCode, WeftError } from '@weft/common';
import jwt from 'jsonwebtoken';
import { describe, expect, test } from 'vitest';
import { signToken } from './sign.ts';
import { createTokenVerifier, type TokenVerifier } from './verifier.ts';

const SECRET = 'an honest secret of 32 bytes or more';
const NOW = 1_800_000_000_000;
const SECONDS = NOW / 1_000;
const clock = { now: () => NOW };
const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pem = (key: typeof rsa.publicKey) => key.export({ type: 'spki', format: 'pem' }).toString();

const verifier = createTokenVerifier({ secret: SECRET, clock });
const claims = (more: object = {}) => ({ sub: 'alice', exp: SECONDS + 60, ...more });
const hs256 = (payload: object, header: object = {}) =>
  raw({ alg: 'HS256', typ: 'JWT', ...header }, JSON.stringify(payload));

/** A token with a good HS256 signature over whatever is given. */
function raw(header: object, payload: string | Buffer, secret = SECRET): string {
  const signed = [Buffer.from(JSON.stringify(header)), Buffer.from(payload as string)]
    .map((part) => part.toString('base64url'))
    .join('.');
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

async function codeOf(token: string | undefined, by: TokenVerifier = verifier): Promise<ErrorCode> {
  try {
    await by.verify(token);
  } catch (error) {
    if (error instanceof WeftError) return error.code;
    throw error;
  }
  throw new Error('the token was accepted');
}

describe('P3.1 a token proves who somebody is', () => {
  test('P3.1 with all its claims', async () => {
    const token = hs256(
      claims({
        name: 'Alice Ä.',
        color: '#0ea5e9',
        tenant: 'acme',
        groups: ['staff'],
        scope: 'admin  create',
        grants: { plan: 'editor', 'notes/*': 'viewer' },
        jti: 'j1',
      }),
    );
    expect(await verifier.verify(token)).toEqual({
      tenant: 'acme',
      user: 'alice',
      name: 'Alice Ä.',
      color: '#0ea5e9',
      groups: ['staff'],
      scopes: ['admin', 'create'],
      grants: { plan: 'editor', 'notes/*': 'viewer' },
      expiresAt: NOW + 60_000,
      tokenId: 'j1',
    });
  });

  test('P3.1 and with none but the required ones', async () => {
    expect(await verifier.verify(hs256(claims()))).toMatchObject({
      tenant: 'default',
      name: undefined,
      color: undefined,
      groups: [],
      scopes: [],
      grants: {},
      tokenId: undefined,
    });
  });

  test('P3.1 P12.17 equal grants are kept once, and others apart', async () => {
    const grantsOf = async (grants: object) => (await verifier.verify(hs256(claims({ grants })))).grants;
    const first = await grantsOf({ plan: 'editor', notes: 'viewer' });
    expect(await grantsOf({ plan: 'editor', notes: 'viewer' })).toBe(first);
    expect(await grantsOf({ plan: 'viewer', notes: 'viewer' })).toEqual({ plan: 'viewer', notes: 'viewer' });
    for (let other = 0; other < 2_000; other++) await grantsOf({ [`other-${other}`]: 'viewer' });
    expect(await grantsOf({ plan: 'editor', notes: 'viewer' })).toEqual(first);
  });

  test('P3.1 the scope may be a list', async () => {
    expect((await verifier.verify(hs256(claims({ scope: ['admin'] })))).scopes).toEqual(['admin']);
  });

  test.each([
    ['RS256', rsa],
    ['ES256', ec],
  ] as const)('P3.1 signed with %s', async (algorithm, pair) => {
    const token = jwt.sign(claims(), pair.privateKey, { algorithm });
    const by = createTokenVerifier({ publicKey: pem(pair.publicKey), clock });
    expect((await by.verify(token)).user).toBe('alice');
  });

  test.each([undefined, ''])('P3.1 %j is no token', async (token) => {
    expect(await codeOf(token)).toBe('token-missing');
  });
});

describe('P3.2 the key decides the algorithm, the token never does', () => {
  const forRsa = createTokenVerifier({ publicKey: pem(rsa.publicKey), clock });

  test.each(['none', 'None', 'NONE', ''])('P3.2 alg %j is refused', async (alg) => {
    const signed = [{ alg, typ: 'JWT' }, claims()]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
    for (const by of [verifier, forRsa]) {
      expect(await codeOf(`${signed}.`, by)).toBe('token-invalid');
      expect(await codeOf(`${signed}.AAAA`, by)).toBe('token-invalid');
    }
  });

  test('P3.2 the public key does not verify as an HMAC secret', async () => {
    const forged = raw({ alg: 'HS256', typ: 'JWT' }, JSON.stringify(claims()), pem(rsa.publicKey));
    expect(await codeOf(forged, forRsa)).toBe('token-invalid');
    expect(await codeOf(forged.replace(/\n/g, ''), forRsa)).toBe('token-invalid');
  });

  test.each(['HS384', 'HS512'] as const)('P3.2 %s with the right secret is refused', async (algorithm) => {
    expect(await codeOf(jwt.sign(claims(), SECRET, { algorithm }))).toBe('token-invalid');
  });

  test.each(['RS384', 'RS512', 'PS256'] as const)(
    'P3.2 %s with the right key is refused',
    async (algorithm) => {
      expect(await codeOf(jwt.sign(claims(), rsa.privateKey, { algorithm }), forRsa)).toBe('token-invalid');
    },
  );

  test('P3.2 a key inside the token is not used', async () => {
    const attacker = generateKeyPairSync('rsa', { modulusLength: 2_048 });
    const header = {
      alg: 'RS256',
      typ: 'JWT',
      jwk: attacker.publicKey.export({ format: 'jwk' }),
      jku: 'https://attacker.example/jwks',
      x5u: 'https://attacker.example/cert',
    };
    const signed = [header, claims()]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
    const signature = signBytes('sha256', Buffer.from(signed), attacker.privateKey).toString('base64url');
    expect(await codeOf(`${signed}.${signature}`, forRsa)).toBe('token-invalid');
  });

  test.each([
    ['no key', {}],
    ['two keys', { secret: SECRET, publicKey: pem(rsa.publicKey) }],
    ['a short secret', { secret: 'x'.repeat(31) }],
    ['a public key as secret', { secret: pem(rsa.publicKey) }],
    ['a private key', { publicKey: rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }],
    ['a short RSA key', { publicKey: pem(generateKeyPairSync('rsa', { modulusLength: 1_024 }).publicKey) }],
    ['another curve', { publicKey: pem(generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey) }],
    ['another kind of key', { publicKey: pem(generateKeyPairSync('ed25519').publicKey) }],
    ['no PEM', { publicKey: 'hello' }],
    ['key sets over plain HTTP', { jwksUrl: 'http://id.example/jwks' }],
    ['an empty issuer', { secret: SECRET, issuer: '' }],
    ['an empty audience', { secret: SECRET, audience: '' }],
  ])('P3.2 refuses to start with %s', (_, options) => {
    expect(() => createTokenVerifier({ clock, ...options })).toThrow(TypeError);
  });
});

describe('P3.3 a token holds until its second and not a moment longer', () => {
  const at = (offset: number) => createTokenVerifier({ secret: SECRET, clock: { now: () => NOW + offset } });

  test('P3.3 exp has no tolerance', async () => {
    const token = hs256(claims());
    expect((await at(59_999).verify(token)).expiresAt).toBe(NOW + 60_000);
    expect(await codeOf(token, at(60_000))).toBe('token-expired');
  });

  test('P3.3 an expired token with a bad signature is only invalid', async () => {
    expect(await codeOf(`${hs256(claims({ exp: 1 })).slice(0, -4)}AAAA`)).toBe('token-invalid');
  });

  test.each(['nbf', 'iat'])('P3.3 %s may be 60 s ahead, not more', async (name) => {
    expect((await verifier.verify(hs256(claims({ [name]: SECONDS + 60 })))).user).toBe('alice');
    expect(await codeOf(hs256(claims({ [name]: SECONDS + 61 })))).toBe('token-invalid');
  });

  test.each([undefined, null, '1900000000', -1, 1e300, [SECONDS + 60], {}, true])(
    'P3.3 exp %j is refused',
    async (exp) => {
      expect(await codeOf(hs256({ sub: 'alice', exp }))).toBe('token-invalid');
    },
  );

  test.each(['nbf', 'iat'])('P3.3 a %s that is no number is refused', async (name) => {
    expect(await codeOf(hs256(claims({ [name]: 'soon' })))).toBe('token-invalid');
  });
});

describe('P3.5 issuer and audience', () => {
  const strict = createTokenVerifier({ secret: SECRET, clock, issuer: 'https://id', audience: 'weft' });

  test('P3.5 are required when configured', async () => {
    const good = { iss: 'https://id', aud: ['other', 'weft'] };
    expect((await strict.verify(hs256(claims(good)))).user).toBe('alice');
    for (const bad of [
      { iss: undefined },
      { iss: ['https://id'] },
      { iss: 'https://id/' },
      { aud: undefined },
      { aud: 'weft2' },
      { aud: [['weft']] },
      { aud: { weft: true } },
    ]) {
      expect(await codeOf(hs256(claims({ ...good, ...bad })), strict)).toBe('token-invalid');
    }
  });
});

describe('P3.6 a token of any other form is refused', () => {
  test.each([
    ['an unknown crit', { crit: ['weft'] }],
    ['an empty crit', { crit: [] }],
    ['an unencoded payload', { b64: false }],
    ['a logout token', { typ: 'logout+jwt' }],
    ['a typ that is no text', { typ: 5 }],
    ['a kid that is no text', { kid: { $ne: 1 } }],
    ['an endless kid', { kid: 'k'.repeat(300) }],
  ])('P3.6 %s', async (_, header) => {
    expect(await codeOf(hs256(claims(), header))).toBe('token-invalid');
  });

  test.each(['"alice"', 'null', '[]', '5', 'not json', ''])('P3.6 the payload %j', async (payload) => {
    expect(await codeOf(raw({ alg: 'HS256', typ: 'JWT' }, payload))).toBe('token-invalid');
    expect(await codeOf(raw({ alg: 'HS256' }, payload))).toBe('token-invalid');
  });

  test.each(['x', 'a.b', 'a.b.c', '..', 'null.null.null', '\0', 'é'.repeat(100), 'bnVsbA.e30.AA'])(
    'P3.6 the text %j',
    async (token) => expect(await codeOf(token)).toBe('token-invalid'),
  );

  test.each(['at+JWT', 'application/at+jwt'])('P3.6 an access token by RFC 9068 is one: %s', async (typ) => {
    expect((await verifier.verify(hs256(claims(), { typ }))).user).toBe('alice');
  });

  // Read leniently, all that are not UTF-8 would be the same: two people whose names differ there would be one.
  test('P3.6 a payload that is not UTF-8', async () => {
    const payload = Buffer.from(JSON.stringify(claims({ sub: 'Andr\u00e9' })), 'latin1');
    expect(await codeOf(raw({ alg: 'HS256', typ: 'JWT' }, payload))).toBe('token-invalid');
  });

  test('P3.6 more than 64 KiB', async () => {
    expect(await codeOf(hs256(claims({ padding: 'x'.repeat(70_000) })))).toBe('token-invalid');
  });
});

describe('P3.7 every claim is of its type and bounded', () => {
  const many = (n: number, of: (n: number) => unknown) => Array.from({ length: n }, (_, index) => of(index));

  test.each([
    { sub: undefined },
    { sub: '' },
    { sub: 5 },
    { sub: ['alice'] },
    { sub: 'a\0b' },
    { sub: 'a\nb' },
    { sub: 'ü'.repeat(128) },
    { sub: '\ud800' },
    { sub: 'system' },
    { tenant: '' },
    { tenant: 'a/b' },
    { tenant: '../x' },
    { tenant: 5 },
    { tenant: null },
    { name: '' },
    { name: 5 },
    { name: 'a\u0007' },
    { name: 'x'.repeat(256) },
    { color: 'red' },
    { color: '#12' },
    { color: '#12345' },
    { color: '#0ea5e9;background:url(//x)' },
    { color: '#0ea5e9\n' },
    { groups: 'staff' },
    { groups: [5] },
    { groups: [''] },
    { groups: { length: 1 } },
    { groups: many(257, String) },
    { scope: 5 },
    { scope: ['a'.repeat(200)] },
    { scope: many(65, String) },
    { grants: [] },
    { grants: 'x' },
    { grants: null },
    { grants: { plan: 5 } },
    { grants: { plan: '' } },
    { grants: { ' plan': 'editor' } },
    { grants: { '': 'editor' } },
    { grants: Object.fromEntries(many(1_001, (n) => [`d${n}`, 'viewer']) as [string, string][]) },
    { jti: 5 },
    { jti: '' },
  ])('P3.7 %j is refused', async (claim) => {
    expect(await codeOf(hs256(claims(claim)))).toBe('token-invalid');
  });

  test('P3.7 a document called like a member of Object has no grant by it', async () => {
    const { grants } = await verifier.verify(hs256(claims({ grants: {} })));
    expect(grants['constructor']).toBeUndefined();
    expect(grants['__proto__']).toBeUndefined();
    const payload = `{"sub":"alice","exp":${SECONDS + 60},"grants":{"__proto__":"owner"}}`;
    const own = await verifier.verify(raw({ alg: 'HS256' }, payload));
    expect(Object.keys(own.grants)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(own.grants)).toBeNull();
  });
});

describe('P3.8 tokens for demos and operators', () => {
  test('P3.8 are accepted by the verifier of the same secret', async () => {
    const token = signToken(SECRET, { sub: 'alice', groups: ['a'], scope: 'admin', expiresIn: 5 }, clock);
    expect(await verifier.verify(token)).toMatchObject({
      user: 'alice',
      scopes: ['admin'],
      expiresAt: NOW + 5_000,
    });
  });

  test.each([
    { sub: '' },
    { sub: 'system' },
    { sub: 'a', color: 'red' },
    { sub: 'a', expiresIn: 0 },
    { sub: 'a', expiresIn: -5 },
    { sub: 'a', expiresIn: NaN },
    { sub: 'a', expiresIn: 1e300 },
    { sub: 'a', tenant: 'x/y' },
  ])('P3.8 %j is a bad request', (request) => {
    expect(() => signToken(SECRET, request, clock)).toThrow(expect.objectContaining({ code: 'bad-request' }));
  });

  test('P3.8 another secret does not verify', async () => {
    expect(await codeOf(signToken(`another ${SECRET}`, { sub: 'alice' }, clock))).toBe('token-invalid');
  });
});
