import { WeftError } from '@weft/common';

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
export type AwarenessState = { [key: string]: Json };

/**
 * The state of one awareness entry: a JSON object or `null`.
 *
 * @throws WeftError `awareness-malformed` for other JSON, nesting deeper than `depth`, and the key `__proto__`
 * (which turns into a prototype as soon as somebody assigns the parsed keys to another object).
 */
export function parseState(json: string, depth: number): AwarenessState | null {
  if (json === 'null') return null;
  const value = parse(json);
  if (value === null) return null;
  if (typeof value !== 'object' || Array.isArray(value)) throw malformed('a state that is no object');
  checkObject(value, depth);
  return value;
}

function parse(json: string): Json {
  try {
    return JSON.parse(json) as Json;
  } catch (cause) {
    throw new WeftError('awareness-malformed', { detail: 'a state that is no JSON', cause });
  }
}

function check(value: Json, depth: number): void {
  if (typeof value !== 'object' || value === null) return;
  if (depth === 0) throw malformed('a state nested too deep');
  if (!Array.isArray(value)) return checkObject(value, depth);
  for (const item of value) check(item, depth - 1);
}

function checkObject(value: { [key: string]: Json }, depth: number): void {
  for (const key of Object.keys(value)) {
    if (key === '__proto__') throw malformed('a key __proto__');
    check(value[key]!, depth - 1);
  }
}

function malformed(detail: string): WeftError {
  return new WeftError('awareness-malformed', { detail });
}
