import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createDatabase, openSession } from '@weft/harness';
import { expect, inject, onTestFinished, test } from 'vitest';
import { startTestServer } from '../../testing/running-server.ts';

const NAME = 'rotated';

interface IssuerKey {
  readonly kid: string;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

function newKey(kid: string): IssuerKey {
  return { kid, ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) };
}

function signed({ kid, privateKey }: IssuerKey, sub: string): string {
  const exp = Math.floor(Date.now() / 1_000) + 600;
  const parts = [
    { alg: 'ES256', typ: 'JWT', kid },
    { sub, exp, grants: { [NAME]: 'owner' } },
  ];
  const text = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  const signature = sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return `${text}.${signature.toString('base64url')}`;
}

/** Publishes what `keys` holds. */
async function startIssuer(keys: readonly IssuerKey[]) {
  const issuer = { url: '', requests: 0 };
  const http = createServer((_, response) => {
    issuer.requests += 1;
    const set = keys.map(({ kid, publicKey }) => ({
      ...publicKey.export({ format: 'jwk' }),
      kid,
      use: 'sig',
    }));
    response.end(JSON.stringify({ keys: set }));
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    http.closeAllConnections();
    http.close();
  });
  issuer.url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/keys`;
  return issuer;
}

test('P3.9 a stock provider with a token of a key that is newer than the last fetch gets in by itself', async () => {
  const keys = [newKey('old')];
  const issuer = await startIssuer(keys);
  const server = await startTestServer({
    DATABASE_URL: await createDatabase(inject('postgresUrl')),
    WEFT_JWT_SECRET: undefined,
    WEFT_JWKS_URL: issuer.url,
  });
  onTestFinished(() => server.remove());
  const enter = (key: IssuerKey, sub: string) => {
    const url = `${server.url.replace('http', 'ws')}/collab`;
    const session = openSession({ url, name: NAME, token: signed(key, sub) });
    onTestFinished(() => session.close());
    return session;
  };
  await enter(keys[0] as IssuerKey, 'ada').saved();
  const next = newKey('new');
  keys.push(next);
  const ben = enter(next, 'ben');
  await ben.saved(20_000);
  expect(new Set(ben.closes.map(({ reason }) => reason))).toEqual(new Set(['token-key-unknown']));
  expect(ben.authenticationFailures).toEqual([]);
  expect(issuer.requests).toBe(2);
});
