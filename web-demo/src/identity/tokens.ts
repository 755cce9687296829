import type { TokenSource } from '../api/rest.ts';
import { NEUTRAL_COLOR } from '../session/presence.ts';
import type { Person } from './people.ts';

/** A token is not used for anything new in its last seconds. */
const MARGIN_MS = 15_000;

/** The server gives out no demo tokens: people bring their own. */
export class NoDemoTokensError extends Error {
  override readonly name = 'NoDemoTokensError';
}

/** Tokens of the development server for one of the sample people, fetched anew before they expire. */
export function demoTokens(person: Person): TokenSource {
  let cached: { token: string; usableUntil: number } | undefined;
  return async (options) => {
    if (!options?.fresh && cached && Date.now() < cached.usableUntil) return cached.token;
    const token = await fetchDemoToken(person);
    cached = { token, usableUntil: expiryOf(token) - MARGIN_MS };
    return token;
  };
}

interface DevTokenAnswer {
  readonly token?: string;
  readonly error?: { readonly message: string };
}

async function fetchDemoToken({ sub, name, color, groups }: Person): Promise<string> {
  const response = await fetch('/dev/token', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ sub, name, color, groups }),
  });
  if (response.status === 404 || response.status === 405) throw new NoDemoTokensError();
  const answer = (await response.json().catch(() => ({}))) as DevTokenAnswer;
  if (answer.token !== undefined) return answer.token;
  throw new Error(answer.error?.message ?? `No demo token: the server answered ${response.status}.`);
}

/**
 * Who a token is for, as far as the page needs to know it. Only the server verifies a token; nothing is
 * decided by what is read here.
 */
export function personOfToken(token: string): Person | undefined {
  const claims = claimsOf(token);
  const sub = claims?.['sub'];
  if (typeof sub !== 'string' || sub === '') return undefined;
  const { name, color, groups } = claims ?? {};
  return {
    sub,
    name: typeof name === 'string' && name !== '' ? name : sub,
    color: typeof color === 'string' ? color : NEUTRAL_COLOR,
    groups: Array.isArray(groups) ? groups.filter((group) => typeof group === 'string') : [],
  };
}

/** Whether a token claims the scope, so that the page offers what the server would allow. */
export function claimsScope(token: string, scope: string): boolean {
  const claimed = claimsOf(token)?.['scope'];
  const scopes: unknown = typeof claimed === 'string' ? claimed.split(' ') : claimed;
  return Array.isArray(scopes) && scopes.includes(scope);
}

/** Milliseconds since 1970; 0 where the token does not say. */
function expiryOf(token: string): number {
  const exp = claimsOf(token)?.['exp'];
  return typeof exp === 'number' ? exp * 1000 : 0;
}

function claimsOf(token: string): Record<string, unknown> | undefined {
  try {
    const payload = (token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
    const bytes = Uint8Array.from(atob(payload), (character) => character.charCodeAt(0));
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof claims === 'object' && claims !== null ? (claims as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
