import { isIdentifier, isPattern, isTenant, type Principal, SYSTEM_ACTOR, WeftError } from '@weft/common';

type Grants = Principal['grants'];

export const DEFAULT_TENANT = 'default';
const MAX_GROUPS = 256;
const MAX_SCOPES = 64;
const MAX_GRANTS = 1_000;
const MAX_SCOPE_LENGTH = 128;
const MAX_ROLE_LENGTH = 64;
/** Seconds since 1970 at the end of the year 9999, the last time that every date format here can write. */
const MAX_NUMERIC_DATE = 253_402_300_799;
/** Shared: a principal is kept as long as its connection. */
const NONE: readonly string[] = Object.freeze([]);
const NO_GRANTS: Grants = Object.freeze(Object.create(null) as Record<string, string>);
/** By their JSON, the one asked for longest ago first. */
const sharedGrants = new Map<string, Grants>();
const MAX_SHARED = 1_000;
const MAX_SHARED_LENGTH = 1_024;
const HEX_COLOR = /^#(?:[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})$/i;

/** The payload of a token whose signature has been verified; nothing about its form is known yet. */
export type Claims = Readonly<Record<string, unknown>>;

export interface ClaimRules {
  readonly issuer: string | undefined;
  readonly audience: string | undefined;
  /** Seconds by which `nbf` and `iat` may lie in the future. */
  readonly nbfTolerance: number;
}

/**
 * Every claim is checked for type and size, also those that are only displayed: they go into every frame of
 * presence and every row of the log.
 *
 * @param now milliseconds since 1970
 * @throws WeftError `token-invalid` or `token-expired`
 */
export function principalOf(claims: Claims, rules: ClaimRules, now: number): Principal {
  checkParties(claims, rules);
  const expiresAt = checkTimes(claims, rules, now);
  return {
    tenant: tenantClaim(claims['tenant']),
    user: subjectClaim(claims['sub']),
    name: optionalText(claims, 'name'),
    color: colorClaim(claims['color']),
    groups: groupsClaim(claims['groups']),
    scopes: scopesClaim(claims['scope']),
    grants: grantsClaim(claims['grants']),
    expiresAt,
    tokenId: optionalText(claims, 'jti'),
  };
}

function invalid(detail: string): WeftError {
  return new WeftError('token-invalid', { detail });
}

function checkParties(claims: Claims, { issuer, audience }: ClaimRules): void {
  if (issuer !== undefined && claims['iss'] !== issuer) throw invalid('iss is of another issuer');
  if (audience === undefined) return;
  const aud = claims['aud'];
  const meant: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  if (!meant.includes(audience)) throw invalid('aud does not name this server');
}

/** `exp` has no tolerance: a token's end is the moment at which rights end, on every instance alike. */
function checkTimes(claims: Claims, { nbfTolerance }: ClaimRules, now: number): number {
  const exp = numericDate(claims, 'exp');
  if (exp === undefined) throw invalid('exp is required');
  for (const name of ['nbf', 'iat']) {
    const from = numericDate(claims, name);
    if (from !== undefined && from * 1_000 > now + nbfTolerance * 1_000) {
      throw invalid(`${name} lies in the future`);
    }
  }
  const expiresAt = Math.floor(exp * 1_000);
  if (now >= expiresAt) throw new WeftError('token-expired', { detail: `expired at ${expiresAt}` });
  return expiresAt;
}

function numericDate(claims: Claims, name: string): number | undefined {
  const value = claims[name];
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !(value >= 0 && value <= MAX_NUMERIC_DATE)) {
    throw invalid(`${name} is not a number of seconds since 1970`);
  }
  return value;
}

function subjectClaim(value: unknown): string {
  if (typeof value !== 'string' || !isIdentifier(value)) throw invalid('sub is not an identifier');
  // The log names what no person wrote by this actor; nobody may write under it.
  if (value === SYSTEM_ACTOR) throw invalid('sub is reserved');
  return value;
}

function tenantClaim(value: unknown): string {
  if (value === undefined) return DEFAULT_TENANT;
  if (typeof value !== 'string' || !isTenant(value)) throw invalid('tenant is not a tenant name');
  return value;
}

function optionalText(claims: Claims, name: string): string | undefined {
  const value = claims[name];
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || !isIdentifier(value)) throw invalid(`${name} is not a short text`);
  return value;
}

function colorClaim(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || !HEX_COLOR.test(value)) throw invalid('color is not a hex colour');
  return value;
}

function groupsClaim(value: unknown): readonly string[] {
  if (value === undefined) return NONE;
  if (!Array.isArray(value) || value.length > MAX_GROUPS) throw invalid('groups is not a short list');
  return value.map((group: unknown) => {
    if (typeof group !== 'string' || !isIdentifier(group)) throw invalid('groups has an invalid name');
    return group;
  });
}

/** A string with spaces between scopes (RFC 8693) or a list. */
function scopesClaim(value: unknown): readonly string[] {
  if (value === undefined) return NONE;
  const scopes: unknown = typeof value === 'string' ? value.split(' ').filter(Boolean) : value;
  if (!Array.isArray(scopes) || scopes.length > MAX_SCOPES) throw invalid('scope is not a short list');
  return scopes.map((scope: unknown) => {
    if (typeof scope !== 'string' || !isIdentifier(scope) || scope.length > MAX_SCOPE_LENGTH) {
      throw invalid('scope has an invalid name');
    }
    return scope;
  });
}

/** Without a prototype: a document may be called `constructor`, and must not find a grant there. */
function grantsClaim(value: unknown): Grants {
  if (value === undefined) return NO_GRANTS;
  const grants = Object.create(null) as Record<string, string>;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid('grants is not an object');
  }
  const entries: [string, unknown][] = Object.entries(value);
  if (entries.length > MAX_GRANTS) throw invalid('grants has too many entries');
  for (const [pattern, role] of entries) {
    if (!isPattern(pattern)) throw invalid('grants names no document');
    if (typeof role !== 'string' || role.length === 0 || role.length > MAX_ROLE_LENGTH) {
      throw invalid('grants has an invalid role');
    }
    grants[pattern] = role;
  }
  return shared(Object.freeze(grants));
}

/** Equal ones are the same object: those who may the same are many, and each takes 200 bytes for as long as a session. */
function shared(grants: Grants): Grants {
  const text = JSON.stringify(grants);
  if (text.length > MAX_SHARED_LENGTH) return grants;
  const known = sharedGrants.get(text) ?? grants;
  sharedGrants.delete(text);
  sharedGrants.set(text, known);
  const [oldest] = sharedGrants.keys();
  if (sharedGrants.size > MAX_SHARED && oldest !== undefined) sharedGrants.delete(oldest);
  return known;
}
