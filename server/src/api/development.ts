import { signToken } from '@weft/auth-jwt';
import { WeftError } from '@weft/common';
import { isLoopback } from '../config.ts';
import type { App } from '../http/bare-app.ts';
import type { Services } from '../services.ts';
import { DevToken, DevTokenBody, Refusals } from './schemas.ts';

/** Tokens for whoever asks. Only in development mode, which only listens on loopback. */
export function developmentRoutes(app: App, { config }: Services): void {
  const { jwtSecret, jwtIssuer, jwtAudience } = config;
  if (jwtSecret === undefined) return;
  app.post(
    '/dev/token',
    {
      schema: {
        tags: ['development'],
        operationId: 'createToken',
        summary: 'A token for whoever you say you are (development mode)',
        security: [],
        body: DevTokenBody,
        response: { 200: DevToken, ...Refusals },
      },
    },
    async (request) => {
      requireLocalName(request.hostname);
      return { token: signToken(jwtSecret, { ...request.body, iss: jwtIssuer, aud: jwtAudience }) };
    },
  );
}

/**
 * A page of any site can let its own name point to 127.0.0.1 and then reads our answers as its own (DNS
 * rebinding). Its requests still carry that name.
 */
function requireLocalName(hostname: string): void {
  const name = hostname.replace(/^\[(.*)\]$/, '$1');
  if (!isLoopback(name) && !name.endsWith('.localhost')) {
    throw new WeftError('origin-forbidden', {
      detail: 'demo tokens are handed out under names of this machine only, such as localhost',
    });
  }
}
