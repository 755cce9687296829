import type { TokenVerifier } from '@weft/auth-jwt';
import { WeftError, type Principal } from '@weft/common';
import type { FastifyRequest } from 'fastify';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set on every route below `/v1` except the public ones. */
    principal: Principal;
  }
}

/** RFC 6750 §2.1. Tokens are taken from nowhere else: addresses end up in logs. */
const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i;

/** @throws {WeftError} `token-missing`, and what the verifier refuses */
export async function authenticate(request: FastifyRequest, verifier: TokenVerifier): Promise<void> {
  const { authorization } = request.headers;
  if (authorization === undefined) throw new WeftError('token-missing');
  const token = BEARER.exec(authorization)?.[1];
  if (token === undefined) throw new WeftError('token-invalid', { detail: 'not a Bearer token' });
  request.principal = await verifier.verify(token);
}
