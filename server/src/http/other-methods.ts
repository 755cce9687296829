import { WeftError } from '@weft/common';
import type { App } from './bare-app.ts';

/**
 * Whoever uses a method that an address does not have is told which it has (RFC 9110, 9.3.7 and 15.5.6): a POST where a PUT
 * is meant must not look like a wrong address.
 *
 * @returns to be called when all routes are there
 */
export function answerOtherMethods(app: App): () => void {
  const taken = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    // Those of pages have whatever is below them.
    if (url.includes('*')) return;
    const methods = taken.get(url) ?? new Set(['OPTIONS']);
    for (const each of [method].flat()) methods.add(each);
    taken.set(url, methods);
  });
  return () => {
    for (const [url, methods] of [...taken]) {
      const allow = [...methods].sort().join(', ');
      const hidden = { schema: { hide: true } };
      app.options(url, hidden, (_request, reply) => void reply.header('allow', allow).code(204).send());
      app.route({
        ...hidden,
        url,
        method: app.supportedMethods.filter((method) => !methods.has(method)),
        // Before a body is read.
        onRequest: (_request, reply, next) => {
          reply.header('allow', allow);
          next(new WeftError('method-not-allowed'));
        },
        handler: () => undefined,
      });
    }
  };
}
