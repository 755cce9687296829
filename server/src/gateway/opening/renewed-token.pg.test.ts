import type { TokenRequest } from '@weft/auth-jwt';
import { createDatabase, openSession, until } from '@weft/harness';
import { expect, inject, onTestFinished, test } from 'vitest';
import { startTestServer } from '../../testing/running-server.ts';

/** So soon before its end the next token is asked for at once. Seconds. */
const ENDS_SOON = 20;

const others: [string, Pick<TokenRequest, 'sub' | 'tenant'>][] = [
  ['another person', { sub: 'mallory' }],
  ['another tenant', { sub: 'ada', tenant: 'other' }],
];

test.each(others)('P3.4 a session does not go on under the token of %s', async (_, other) => {
  const server = await startTestServer({ DATABASE_URL: await createDatabase(inject('postgresUrl')) });
  onTestFinished(() => server.remove());
  const grants = { '*': 'owner' };
  let given = 0;
  const session = openSession({
    url: `${server.url.replace('http', 'ws')}/collab`,
    name: 'plan',
    token: () =>
      given++ === 0
        ? server.token({ sub: 'ada', grants, expiresIn: ENDS_SOON })
        : server.token({ ...other, grants, expiresIn: 600 }),
  });
  onTestFinished(() => session.close());
  await session.opened();
  await until(() => session.closes.some(({ reason }) => reason === 'token-invalid'));
  expect(given).toBeGreaterThan(1);
});
