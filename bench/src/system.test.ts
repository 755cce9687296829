import { TestProcess, until } from '@weft/harness';
import { expect, test } from 'vitest';
import { cpuSeconds, machineCpuSeconds, residentBytes } from './system.ts';

const BURN = 'const end = Date.now() + 400; while (Date.now() < end);';

test("P12.1 a process' CPU includes that of its children, also after they have ended", async () => {
  const child = `require('node:child_process').spawnSync(process.execPath, ['-e', ${JSON.stringify(BURN)}]); setInterval(() => {}, 1000); console.log('done')`;
  const parent = new TestProcess('parent', process.execPath, ['-e', child]);
  try {
    await until(() => parent.output.includes('done'), { what: 'the child to end' });
    // The child alone burns; how much it gets in 400 ms depends on what else runs here.
    expect(cpuSeconds(parent.pid)).toBeGreaterThan(0.05);
    expect(residentBytes(parent.pid)).toBeGreaterThan(1_000_000);
  } finally {
    await parent.end('SIGKILL');
  }
});

test('P12.1 the machine has spent at least what this process has', () => {
  expect(machineCpuSeconds()).toBeGreaterThanOrEqual(cpuSeconds(process.pid));
});
