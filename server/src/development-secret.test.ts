import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { developmentSecret } from './development-secret.ts';

describe('P3.10 the secret of development mode', () => {
  let directory: string;
  let path: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'weft-secret-'));
    path = join(directory, 'development-secret');
    onTestFinished(() => rmSync(directory, { recursive: true }));
  });

  test('P3.10 is one for all that start at once, and stays', async () => {
    const all = await Promise.all(Array.from({ length: 8 }, () => developmentSecret(directory)));
    expect(new Set(all)).toEqual(new Set([readFileSync(path, 'utf8')]));
    expect(Buffer.from(all[0] ?? '', 'base64url')).toHaveLength(32);
    expect(await developmentSecret(directory)).toBe(all[0]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    chmodSync(path, 0o644);
    await developmentSecret(directory);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test('P3.10 is waited for where another process has made the file and not yet written it', async () => {
    writeFileSync(path, '');
    const read = developmentSecret(directory);
    await delay(50);
    const secret = 's'.repeat(43);
    writeFileSync(path, secret);
    expect(await read).toBe(secret);
  });

  test('P3.10 that a crash left unfinished is said to be so', async () => {
    writeFileSync(path, 'half');
    await expect(developmentSecret(directory)).rejects.toThrow('Delete it');
  });
});
