import { expect, test } from 'vitest';
import { carryOut, table, type Desk } from './commands.ts';
import type { Member } from './member.ts';

/** A member that is only written down: what is tested here is who is asked for what. */
function deskOf(...names: string[]) {
  const said: string[] = [];
  const done: string[] = [];
  const member = (name: string): Member => ({
    name,
    description: `what ${name} does`,
    logFile: undefined,
    pid: name === 'gone' ? undefined : 42,
    start: async () => {
      if (name === 'gone') throw new Error('it does not start');
      done.push(`start ${name}`);
    },
    end: async (signal) => void done.push(`${signal} ${name}`),
    signal: (signal) => void done.push(`${signal} ${name}`),
  });
  const members = new Map(names.map((name) => [name, member(name)]));
  const desk: Desk = { members, say: (line) => void said.push(line), quit: () => void done.push('quit') };
  return { desk, said, done };
}

test.each([
  ['kill b', ['SIGKILL b']],
  ['b kill', ['SIGKILL b']],
  ['  stop   a ', ['SIGTERM a']],
  ['restart a', ['SIGTERM a', 'start a']],
  ['redis stop', ['SIGTERM redis']],
  ['freeze b', ['SIGSTOP b']],
  ['thaw b', ['SIGCONT b']],
  ['quit', ['quit']],
  ['', []],
])('P8.9 %j', async (line, expected) => {
  const { desk, done } = deskOf('a', 'b', 'redis');
  await carryOut(desk, line);
  expect(done).toEqual(expected);
});

test.each(['kill', 'kill z', 'eat b', 'kill a b', 'constructor b'])(
  'P8.9 %j is answered with what can be said',
  async (line) => {
    const { desk, done, said } = deskOf('a', 'b');
    await carryOut(desk, line);
    expect(done).toEqual([]);
    expect(said.join()).toContain('kill -9');
  },
);

test('P8.9 a failure is said, and ends nothing', async () => {
  const { desk, said } = deskOf('gone');
  await carryOut(desk, 'start gone');
  expect(said).toEqual(['it does not start']);
});

test('P8.9 the table says what runs where', () => {
  const { desk } = deskOf('a', 'gone');
  expect(table(desk.members)).toMatch(/a +process 42 +what a does\n +gone +not running +what gone does/);
});
