import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { startTestServer } from './running-server.ts';

test('P10.18 a server for a test that cannot be configured leaves nothing behind', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'weft-test-'));
  vi.stubEnv('TMPDIR', directory);
  onTestFinished(() => {
    vi.unstubAllEnvs();
    rmSync(directory, { recursive: true });
  });
  await expect(startTestServer({ PORT: 'none' })).rejects.toThrow('PORT');
  expect(readdirSync(directory)).toEqual([]);
});
