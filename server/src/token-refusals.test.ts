import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createTokenVerifier, signToken } from '@weft/auth-jwt';
import { silentLogger } from '@weft/common';
import { expect, test } from 'vitest';
import { tellingWhy } from './token-refusals.ts';

const SECRET = 'a secret that is only known to these tests';

function recording() {
  const lines: [object, string][] = [];
  const warn = (fields: object, message: string) => lines.push([fields, message]);
  return { lines, logger: { ...silentLogger, warn } };
}

test('P3.35 the log says once why tokens are refused, and nothing of them', async () => {
  const { lines, logger } = recording();
  const verifier = tellingWhy(createTokenVerifier({ secret: SECRET, audience: 'docs' }), logger);
  const refused = async (token: string) =>
    expect(verifier.verify(token)).rejects.toMatchObject({ code: 'token-invalid' });
  for (const sub of ['alice', 'bob']) {
    await refused(signToken(SECRET, { sub }));
    await refused(signToken(`another ${SECRET}`, { sub, aud: 'docs' }));
  }
  expect(lines.map(([fields]) => fields)).toEqual([
    { reason: 'aud does not name this server' },
    { reason: 'the signature is not good' },
  ]);
  await expect(verifier.verify('')).rejects.toMatchObject({ code: 'token-missing' });
  await expect(verifier.verify(signToken(SECRET, { sub: 'alice', aud: 'docs' }))).resolves.toMatchObject({
    user: 'alice',
  });
  expect(lines).toHaveLength(2);
});

test('P3.35 the log says why the keys of the issuer cannot be had', async () => {
  const { lines, logger } = recording();
  const issuer = createServer((_request, response) => response.writeHead(404).end()).listen(0, '127.0.0.1');
  await new Promise((resolve) => issuer.once('listening', resolve));
  const jwksUrl = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}/jwks`;
  const verifier = tellingWhy(createTokenVerifier({ jwksUrl }), logger);
  const token = `${Buffer.from('{"alg":"RS256","kid":"k"}').toString('base64url')}.e30.x`;
  await expect(verifier.verify(token)).rejects.toMatchObject({ code: 'permissions-unavailable' });
  const [[fields, message] = []] = lines;
  expect(fields).toMatchObject({ err: { message: "the key set's answer is 404" } });
  expect(message).toContain('WEFT_JWKS_URL');
  issuer.close();
});
