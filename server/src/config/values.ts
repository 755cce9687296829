import { existsSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { trustedUrl } from '@weft/common';
import { z } from 'zod';

/**
 * How the text of an option becomes its value. Every schema reads a string, so that a flag, a variable and a
 * default are read the same way; its error says what the value must be, without repeating the value (it may
 * be a secret).
 */
function reads<T>(must: string, parse: (text: string) => T | undefined) {
  return z.string().transform((text, context): T => {
    const value = parse(text.trim());
    if (value !== undefined) return value;
    context.addIssue({ code: 'custom', message: must });
    return z.NEVER;
  });
}

export const text = (must: string, pattern: RegExp) =>
  reads(must, (value) => (pattern.test(value) ? value : undefined));

export const anyText = reads('some text', (value) => (value === '' ? undefined : value));

/** Noticed at the start, not by the first who opens the page. */
export const webRoot = reads('none, or a directory with an index.html', (value) =>
  value === 'none' || existsSync(join(value, 'index.html')) ? value : undefined,
);

export const integer = (min: number, max: number) =>
  reads(`a whole number from ${min} to ${max}`, (value) => {
    const number = /^\d{1,15}$/.test(value) ? Number(value) : NaN;
    return number >= min && number <= max ? number : undefined;
  });

const YES = ['true', 'yes', 'on', '1'];
const NO = ['false', 'no', 'off', '0'];

export const flag = reads('yes or no', (value) => {
  const word = value.toLowerCase();
  if (YES.includes(word)) return true;
  return NO.includes(word) ? false : undefined;
});

export const choice = <const T extends string>(...values: readonly T[]) =>
  reads(`one of ${values.join(', ')}`, (value) => values.find((each) => each === value));

/** Comma-separated; empty gives an empty list. */
export const list = (must: string, valid: (item: string) => boolean = () => true) =>
  reads(`a comma-separated list of ${must}`, (value) => {
    const items = value.split(',').map((item) => item.trim());
    const given = items.filter((item) => item !== '');
    return given.every(valid) ? given : undefined;
  });

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** `undefined` for what is no `host:port`; an IPv6 address stands in brackets. */
export function parseAddress(item: string): Address | undefined {
  const match = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]{1,253}):(\d{1,5})$/.exec(item);
  const port = Number(match?.[2]);
  return match?.[1] && port > 0 && port < 65_536
    ? { host: match[1].replaceAll(/[[\]]/g, ''), port }
    : undefined;
}

export const addresses = list('addresses such as redis-1:26379', (item) => parseAddress(item) !== undefined);

/** What ends in a number is an address or nothing: resolvers read `10.0.0` and `1` as addresses nobody meant. */
function isHost(value: string): boolean {
  if (isIP(value) !== 0) return true;
  const labels = value.split('.');
  const named = labels.every((label) => /^(?!-)[A-Za-z0-9_-]{1,63}(?<!-)$/.test(label));
  return named && value.length <= 253 && !/^\d+$/.test(labels.at(-1) ?? '');
}

export const host = reads('an IP address, without brackets, or a host name', (value) =>
  isHost(value) ? value : undefined,
);

const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

function parseDuration(value: string): number | undefined {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)$/.exec(value);
  if (!match) return undefined;
  return Math.round(Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS]);
}

/** Milliseconds. A unit is required: `30` has been read as seconds and as milliseconds by too many programs. */
export const duration = (least: string, most: string) => {
  const [min, max] = [parseDuration(least) ?? 0, parseDuration(most) ?? Infinity];
  return reads(`a duration from ${least} to ${most} with its unit, such as 500ms, 10s, 5m or 2h`, (value) => {
    const milliseconds = parseDuration(value);
    const fits = milliseconds !== undefined && milliseconds >= min && milliseconds <= max;
    return fits ? milliseconds : undefined;
  });
};

/** Milliseconds, or `Infinity` for `word`. */
export const durationOr = (word: string, least: string, most: string) => {
  const bounded = duration(least, most);
  return reads(`${word}, or a duration from ${least} to ${most} such as 30s, 5m or 30d`, (value) => {
    if (value === word) return Infinity;
    const result = bounded.safeParse(value);
    return result.success ? result.data : undefined;
  });
};

const UNIT_BYTES = {
  B: 1,
  KB: 1_000,
  MB: 1_000_000,
  GB: 1_000_000_000,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
} as const;

function parseBytes(value: string): number | undefined {
  const match = /^(\d{1,15})(B|KB|MB|GB|KiB|MiB|GiB)?$/.exec(value);
  if (!match) return undefined;
  return Number(match[1]) * UNIT_BYTES[(match[2] ?? 'B') as keyof typeof UNIT_BYTES];
}

export const bytes = (least: string, most: string) => {
  const [min, max] = [parseBytes(least) ?? 0, parseBytes(most) ?? Infinity];
  return reads(`a size from ${least} to ${most}, such as 65536, 64KiB or 4MiB`, (value) => {
    const size = parseBytes(value);
    return size !== undefined && size >= min && size <= max ? size : undefined;
  });
};

export const url = (...protocols: readonly string[]) =>
  reads(`a URL that begins with ${protocols.map((each) => `${each}//`).join(' or ')}`, (value) =>
    URL.canParse(value) && protocols.includes(new URL(value).protocol) ? value : undefined,
  );

/** An address that is asked for keys or permissions. */
export const askedUrl = reads('a URL that begins with https:// (http:// only for this machine)', (value) => {
  try {
    return trustedUrl(value, 'it').href;
  } catch {
    return undefined;
  }
});

/** A PEM block; `\n` written out stands for a line's end, as many deploy tools put it into one line. */
export const pem = reads('a public key in PEM form (-----BEGIN PUBLIC KEY-----)', (value) => {
  const unfolded = value.replaceAll('\\n', '\n');
  return /^-----BEGIN (?:RSA )?PUBLIC KEY-----|^-----BEGIN CERTIFICATE-----/.test(unfolded)
    ? unfolded
    : undefined;
});

/** RFC 7518 §3.2: a key for HS256 has at least the 256 bits of its hash. */
export const MIN_SECRET_BYTES = 32;

export const secret = reads(
  `at least ${MIN_SECRET_BYTES} bytes long; make one with: openssl rand -base64 32`,
  (value) => (Buffer.byteLength(value) >= MIN_SECRET_BYTES ? value : undefined),
);
