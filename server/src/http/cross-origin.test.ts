import { silentLogger } from '@weft/common';
import fastify from 'fastify';
import { expect, test } from 'vitest';
import { RefusedOrigins } from '../refused-origins.ts';
import { crossOrigin } from './cross-origin.ts';

const OWN = 'weft.example';
const ALLOWED = 'https://app.example';

test('P9.11 the log names each origin whose pages are refused once, and how to let them in', async () => {
  const lines: unknown[] = [];
  const warn = (fields: object, message: string) => lines.push({ ...fields, message });
  const app = fastify();
  await crossOrigin(app, { allowed: [ALLOWED], refused: new RefusedOrigins({ ...silentLogger, warn }) });
  app.get('/', async () => 'read');
  const allows = async (method: 'GET' | 'OPTIONS', origin: string) => {
    const headers = { host: OWN, origin, 'access-control-request-method': 'GET' };
    const answer = await app.inject({ method, url: '/', headers });
    return answer.headers['access-control-allow-origin'] === origin;
  };
  for (const method of ['GET', 'OPTIONS'] as const) {
    expect(await allows(method, ALLOWED)).toBe(true);
    expect(await allows(method, 'https://evil.example')).toBe(false);
    // A browser asks nobody whether it may read answers of the page's own origin.
    await allows(method, `https://${OWN}`);
  }
  expect(lines).toEqual([
    { origin: 'https://evil.example', message: expect.stringContaining('WEFT_ALLOWED_ORIGINS') as string },
  ]);
});
