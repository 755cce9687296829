import { until } from '@weft/harness';
import { readFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runCommand } from './command.ts';

test('P10.18 a program tells how it ended', async () => {
  expect(await runCommand(['sh', '-c', 'exit 3'], { limit: 10_000 })).toBe(3);
  expect(await runCommand(['there-is-no-such-program'], { limit: 10_000 })).toBeNull();
});

test('P10.18 a program that hangs is ended at its limit, with what it started', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'weft-command-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, 'pid');
  const script = `sleep 60 & echo $! > ${file}; wait`;
  expect(await runCommand(['sh', '-c', script], { limit: 300 })).not.toBe(0);
  const pid = Number(readFileSync(file, 'utf8'));
  await until(() => !running(pid), { timeout: 5_000, what: 'its child to end' });
});

function running(pid: number): boolean {
  // One that has ended and that nobody has waited for is still listed.
  const stat = `/proc/${pid}/stat`;
  return existsSync(stat) && !readFileSync(stat, 'utf8').includes(') Z ');
}
