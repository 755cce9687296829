import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { TestProcess } from './process.ts';
import { startAll } from './start-all.ts';

const lasting = () => new TestProcess('lasting', process.execPath, ['-e', 'setInterval(() => {}, 1e6)']);

test('P10.18 of several that start together none goes on when one fails, not even the one that starts last', async () => {
  const processes: TestProcess[] = [];
  const start = async (after: number) => {
    await delay(after);
    const started = lasting();
    processes.push(started);
    return started;
  };
  const failure = new Error('taken');
  const starting = [start(0), Promise.reject(failure), start(100)];
  await expect(startAll(starting, (started) => started.end('SIGKILL'))).rejects.toBe(failure);
  expect(processes.map(({ running }) => running)).toEqual([false, false]);
});
