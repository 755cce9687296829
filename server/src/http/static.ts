import { existsSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** The demo's build, seen from `src` and from `dist` alike. */
const DEMO = fileURLToPath(new URL('../../../web-demo/dist', import.meta.url));

const BUILD_MISSING = `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Weft</title>
<style>body{font:16px/1.5 system-ui;max-width:40rem;margin:15vh auto;padding:0 1rem}</style>
<h1>Weft is running</h1>
<p>The demo editor is not built here. <code>npm run build</code> builds it; reload this page then.</p>
<p>The API is described at <a href="/v1/openapi.json">/v1/openapi.json</a>, and a
<code>HocuspocusProvider</code> connects to <code>/collab</code>.</p>
</html>
`;

/** @param webRoot the configured directory, `none`, or `undefined` for the demo */
export async function staticRoutes(app: FastifyInstance, webRoot: string | undefined): Promise<void> {
  if (webRoot === 'none') return;
  const root = webRoot === undefined ? DEMO : resolve(webRoot);
  if (!existsSync(join(root, 'index.html'))) {
    app.get('/', { schema: { hide: true } }, async (_request, reply) =>
      reply.type('text/html; charset=utf-8').header('cache-control', 'no-store').send(BUILD_MISSING),
    );
    return;
  }
  await app.register(fastifyStatic, {
    root,
    schemaHide: true,
    cacheControl: false,
    preCompressed: true,
    setHeaders: (reply, path) => void reply.header('cache-control', cacheControl(path)),
  });
  // The page routes by itself: /d/ and a document's name, /status.
  for (const path of ['/d/*', '/status']) {
    app.get(path, { schema: { hide: true } }, async (_request, reply) => reply.sendFile('index.html'));
  }
}

/** Whoever follows a broken link in a browser is told so by the page itself; `undefined` for all others. */
export function sendNoSuchPage(request: FastifyRequest, reply: FastifyReply): FastifyReply | undefined {
  const { method, url, headers } = request;
  const isView = method === 'GET' && headers.accept?.includes('text/html') === true;
  if (!isView || /^\/(v1|dev)\//.test(url) || !request.server.hasReplyDecorator('sendFile')) return undefined;
  return reply.code(404).sendFile('index.html');
}

/** The build puts the hash of its content into the name of every asset; the pages that name them have none. */
function cacheControl(path: string): string {
  return path.includes(`${sep}assets${sep}`) ? 'public, max-age=31536000, immutable' : 'no-cache';
}
