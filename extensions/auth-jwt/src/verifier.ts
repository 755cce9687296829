import { isUtf8 } from 'node:buffer';
import { type Clock, type Principal, steadyClock, systemClock, WeftError } from '@weft/common';
import jwt from 'jsonwebtoken';
import { type Claims, type ClaimRules, principalOf } from './claims.ts';
import { JwksKeys } from './jwks.ts';
import { publicKey, secretKey, type VerificationKey } from './keys.ts';

/** A thousand grants fit; what is larger is not looked at, since parsing comes before the signature. */
const MAX_TOKEN_BYTES = 64 * 1024;
const MAX_KID_LENGTH = 255;
const TOKEN_TYPES = new Set(['jwt', 'at+jwt', 'application/at+jwt']);

/** Exactly one of `secret`, `publicKey` and `jwksUrl` is given. */
export interface TokenVerifierOptions {
  /** HS256; at least 32 bytes. */
  readonly secret?: string | undefined;
  /** PEM. RSA of at least 2,048 bits: RS256; EC on P-256: ES256. */
  readonly publicKey?: string | undefined;
  /** Where the issuer publishes its public keys. */
  readonly jwksUrl?: string | undefined;
  /** When given, `iss` must equal it. */
  readonly issuer?: string | undefined;
  /** When given, `aud` must name it. */
  readonly audience?: string | undefined;
  readonly clock?: Clock | undefined;
  /** Seconds by which `nbf` and `iat` may lie in the future. `exp` has no tolerance. */
  readonly nbfTolerance?: number | undefined;
  /** Milliseconds for which a fetched key set is used. */
  readonly jwksMaxAge?: number | undefined;
  /** Milliseconds between two fetches of the key set, whatever kids the tokens name. */
  readonly jwksCooldown?: number | undefined;
  /** Milliseconds for one fetch of the key set. */
  readonly jwksTimeout?: number | undefined;
}

export interface TokenVerifier {
  /**
   * @throws WeftError `token-missing`, `token-invalid`, `token-expired`; with a key set that cannot be had,
   * `permissions-unavailable`; with a key that the set may have got since it was fetched, `token-key-unknown`
   */
  verify(token: string | undefined): Promise<Principal>;
}

/** @throws TypeError for keys that are missing, weak, of the wrong kind, or several */
export function createTokenVerifier(options: TokenVerifierOptions): TokenVerifier {
  const clock = options.clock ?? systemClock;
  const rules = {
    issuer: nonEmpty(options.issuer, 'issuer'),
    audience: nonEmpty(options.audience, 'audience'),
    nbfTolerance: options.nbfTolerance ?? 60,
  } satisfies ClaimRules;
  const keyFor = keySource(options);
  return {
    async verify(token) {
      const { header, text } = readToken(token);
      const found = keyFor(header);
      // A local key must not cost a turn of the event loop per token in a storm of reconnects.
      const key = found instanceof Promise ? await found : found;
      return principalOf(verifiedClaims(text, key), rules, clock.now());
    },
  };
}

interface Header {
  readonly kid: string | undefined;
}

type KeySource = (header: Header) => VerificationKey | Promise<VerificationKey>;

function keySource(options: TokenVerifierOptions): KeySource {
  const { secret, publicKey: pem, jwksUrl } = options;
  if ([secret, pem, jwksUrl].filter((key) => key !== undefined).length !== 1) {
    throw new TypeError('give exactly one of secret, publicKey and jwksUrl');
  }
  if (jwksUrl !== undefined) {
    const keys = new JwksKeys({
      url: jwksUrl,
      // How old a key set is does not depend on the time of day.
      clock: options.clock ?? steadyClock,
      maxAge: options.jwksMaxAge ?? 600_000,
      cooldown: options.jwksCooldown ?? 10_000,
      timeout: options.jwksTimeout ?? 5_000,
    });
    return ({ kid }) => {
      if (kid === undefined) throw invalid('the header has no kid');
      return keys.get(kid);
    };
  }
  const key = secret !== undefined ? secretKey(secret) : publicKey(pem ?? '');
  return () => key;
}

/** What of the header is used before the signature is known to be good. */
function readToken(token: string | undefined): { header: Header; text: string } {
  if (token === undefined || token === '') throw new WeftError('token-missing');
  if (token.length > MAX_TOKEN_BYTES) throw invalid('the token is too long');
  const header = decodeHeader(token);
  // RFC 7515, 4.1.11: what is not understood must be refused, and no extension is understood here.
  if ('crit' in header || 'b64' in header) throw invalid('the header names extensions');
  const { typ, kid } = header;
  // Issuers sign other things with the same key, such as logout tokens.
  if (typ !== undefined && (typeof typ !== 'string' || !TOKEN_TYPES.has(typ.toLowerCase()))) {
    throw invalid('typ is not that of an access token');
  }
  if (kid !== undefined && (typeof kid !== 'string' || kid === '' || kid.length > MAX_KID_LENGTH)) {
    throw invalid('kid is not a short text');
  }
  return { header: { kid }, text: token };
}

function decodeHeader(token: string): Readonly<Record<string, unknown>> {
  try {
    const header: unknown = JSON.parse(Buffer.from(token.split('.', 1)[0] ?? '', 'base64url').toString());
    if (typeof header === 'object' && header !== null) return header as Record<string, unknown>;
  } catch {
    // Falls through: not a token at all.
  }
  throw invalid('the token has no header');
}

/** The times are left to {@link principalOf}: the library would give `exp` the tolerance that `nbf` has. */
function verifiedClaims(token: string, { key, algorithm }: VerificationKey): Claims {
  requireUtf8(token);
  let payload: unknown;
  try {
    payload = jwt.verify(token, key, {
      algorithms: [algorithm],
      ignoreExpiration: true,
      ignoreNotBefore: true,
    });
  } catch (cause) {
    throw new WeftError('token-invalid', { detail: 'the signature is not good', cause });
  }
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) {
    throw invalid('the payload is not an object');
  }
  return payload as Claims;
}

/** The library replaces what is not UTF-8: names that differ there alone would be one. */
function requireUtf8(token: string): void {
  const [, payload = ''] = token.split('.', 2);
  if (!isUtf8(Buffer.from(payload, 'base64url'))) throw invalid('the payload is not UTF-8');
}

function invalid(detail: string): WeftError {
  return new WeftError('token-invalid', { detail });
}

function nonEmpty(value: string | undefined, what: string): string | undefined {
  if (value === '') throw new TypeError(`${what} is empty`);
  return value;
}
