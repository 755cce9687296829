import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

const PROGRAM = new URL('../../bin/weft.js', import.meta.url).pathname;

test('P10.2 on a Node that is too old the program does not start, and says which it needs', () => {
  const asOld = ['--import', 'data:text/javascript,delete Promise.withResolvers'];
  const { status, stderr } = spawnSync(process.execPath, [...asOld, PROGRAM, '--help'], { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({
    status: 1,
    stderr: expect.stringContaining('needs Node 22 or newer') as string,
  });
});
