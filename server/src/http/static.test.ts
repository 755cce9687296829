import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fastify, { type FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addSecurityHeaders } from './security-headers.ts';
import { sendNoSuchPage, staticRoutes } from './static.ts';

let root: string;
let app: FastifyInstance;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'weft-static-'));
  mkdirSync(join(root, 'web', 'assets'), { recursive: true });
  writeFileSync(join(root, 'secret.txt'), 'not for you');
  writeFileSync(join(root, 'web', 'index.html'), '<title>Editor</title>');
  writeFileSync(join(root, 'web', 'assets', 'main-a1b2.js'), 'export {};');
  app = await serving(join(root, 'web'));
});

afterAll(() => rmSync(root, { recursive: true }));

async function serving(webRoot: string | undefined): Promise<FastifyInstance> {
  const made = fastify();
  made.setNotFoundHandler((request, reply) => sendNoSuchPage(request, reply) ?? reply.code(404).send('{}'));
  addSecurityHeaders(made);
  await staticRoutes(made, webRoot);
  return made;
}

describe('the pages', () => {
  test.each(['/', '/d/notes', '/d/folder%2Fnotes', '/d/a/b'])(
    'P10.14 %s is the editor, and always fresh',
    async (url) => {
      const { statusCode, body, headers } = await app.inject(url);
      expect({ statusCode, body }).toEqual({ statusCode: 200, body: '<title>Editor</title>' });
      expect(headers['cache-control']).toBe('no-cache');
    },
  );

  test('P10.14 a broken link shows the page, which says so; programs and the API get the error', async () => {
    const browser = { accept: 'text/html,*/*;q=0.8' };
    const page = await app.inject({ url: '/lost', headers: browser });
    expect(page).toMatchObject({ statusCode: 404, body: '<title>Editor</title>' });
    for (const asked of [{ url: '/lost' }, { url: '/v1/lost', headers: browser }]) {
      expect(await app.inject(asked)).toMatchObject({ statusCode: 404, body: '{}' });
    }
  });

  test('P10.14 assets are kept for ever', async () => {
    const { headers } = await app.inject('/assets/main-a1b2.js');
    expect(headers['cache-control']).toContain('immutable');
    expect(headers['content-type']).toContain('javascript');
  });

  test.each(['/../secret.txt', '/%2e%2e/secret.txt', '/assets/..%2f..%2fsecret.txt', '/d/../../secret.txt'])(
    'P7.21 %s does not leave the directory',
    async (url) => {
      expect((await app.inject(url)).body).not.toContain('not for you');
    },
  );

  test('P7.21 scripts come from the own origin only, and nobody frames or sniffs', async () => {
    const { headers } = await app.inject('/');
    expect(headers['content-security-policy']).toContain("script-src 'self'");
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'x-frame-options': 'SAMEORIGIN' });
  });

  test('where nothing is built a page says what to do', async () => {
    const { body } = await (await serving(join(root, 'nothing'))).inject('/');
    expect(body).toContain('npm run build');
  });

  test('none serves none', async () => {
    expect((await (await serving('none')).inject('/')).statusCode).toBe(404);
  });
});
