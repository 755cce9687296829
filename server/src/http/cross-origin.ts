import cors from '@fastify/cors';
import type { FastifyInstance } from 'fastify';
import { allowsOrigin, matchesOrigin } from '../origins.ts';
import type { RefusedOrigins } from '../refused-origins.ts';

export interface CrossOriginOptions {
  readonly allowed: readonly string[];
  readonly refused: RefusedOrigins;
}

/** Pages of these origins may read what is answered. Others' authors learn nothing from their browser: the log tells. */
export async function crossOrigin(
  app: FastifyInstance,
  { allowed, refused }: CrossOriginOptions,
): Promise<void> {
  app.addHook('onRequest', async ({ raw }) => {
    if (!allowsOrigin(raw, allowed)) refused.tell(raw.headers.origin ?? '');
  });
  await app.register(cors, {
    origin: allowed.includes('*')
      ? '*'
      : (origin, allow) => allow(null, origin !== undefined && matchesOrigin(origin, allowed)),
    methods: ['GET', 'PUT', 'PATCH', 'POST', 'DELETE'],
    allowedHeaders: ['authorization', 'content-type', 'if-none-match'],
    exposedHeaders: ['etag', 'weft-cursor', 'retry-after', 'x-request-id'],
    maxAge: 600,
  });
}
