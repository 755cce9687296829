import { type Clock, systemClock, WeftError } from '@weft/common';
import jwt from 'jsonwebtoken';
import { principalOf } from './claims.ts';
import { secretKey } from './keys.ts';

/** What a demo or an operator asks a token for. */
export interface TokenRequest {
  readonly sub: string;
  readonly name?: string | undefined;
  readonly color?: string | undefined;
  readonly tenant?: string | undefined;
  readonly groups?: readonly string[] | undefined;
  readonly scope?: string | readonly string[] | undefined;
  /** Document name or `prefix*` → role name. */
  readonly grants?: Readonly<Record<string, string>> | undefined;
  /** Seconds; 3,600 when not given. */
  readonly expiresIn?: number | undefined;
  readonly jti?: string | undefined;
  readonly iss?: string | undefined;
  readonly aud?: string | undefined;
}

/**
 * An HS256 token that {@link createTokenVerifier} with the same secret accepts.
 *
 * @throws WeftError `bad-request` for claims that would be refused, TypeError for a weak secret
 */
export function signToken(secret: string, request: TokenRequest, clock: Clock = systemClock): string {
  const { expiresIn = 3_600, ...given } = request;
  if (!(expiresIn > 0))
    throw new WeftError('bad-request', { detail: 'expiresIn is not a number of seconds' });
  const now = clock.now();
  const iat = Math.floor(now / 1_000);
  const claims = JSON.parse(JSON.stringify({ ...given, iat, exp: iat + expiresIn })) as Record<
    string,
    unknown
  >;
  try {
    principalOf(claims, { issuer: undefined, audience: undefined, nbfTolerance: 0 }, now);
  } catch (cause) {
    throw new WeftError('bad-request', {
      detail: cause instanceof WeftError ? (cause.detail ?? cause.code) : 'the claims are not valid',
      cause,
    });
  }
  return jwt.sign(claims, secretKey(secret).key, { algorithm: 'HS256' });
}
