import { readFileSync } from 'node:fs';
import type { Member } from './member.ts';

export const HELP = `  status           what runs where
  kill b           kill -9
  stop b           as a deploy does: it drains and ends
  start b          start it again
  restart b        stop and start
  freeze b         stop the process in mid-air (SIGSTOP); thaw b lets it go on
  logs b           its last lines
  quit             stop everything (Ctrl-C does too)

b is any of the names; so are redis and postgres.`;

export interface Desk {
  readonly members: ReadonlyMap<string, Member>;
  readonly say: (line: string) => void;
  readonly quit: () => void;
}

const ACTIONS = {
  async kill({ say }, member) {
    await member.end('SIGKILL');
    say(`${member.name} is dead`);
  },
  async stop({ say }, member) {
    await member.end('SIGTERM');
    say(`${member.name} has stopped`);
  },
  async start({ say }, member) {
    await member.start();
    say(`${member.name} runs, process ${member.pid}`);
  },
  async restart(desk, member) {
    await member.end('SIGTERM');
    await ACTIONS.start(desk, member);
  },
  async freeze({ say }, member) {
    member.signal('SIGSTOP');
    say(`${member.name} is frozen; thaw ${member.name} lets it go on`);
  },
  async thaw({ say }, member) {
    member.signal('SIGCONT');
    say(`${member.name} goes on`);
  },
  async logs({ say }, member) {
    if (!member.logFile) return say(`${member.name} keeps no log`);
    say(readFileSync(member.logFile, 'utf8').trimEnd().split('\n').slice(-15).join('\n'));
  },
} satisfies Record<string, (desk: Desk, member: Member) => Promise<void>>;

const isAction = (word: string): word is keyof typeof ACTIONS => Object.hasOwn(ACTIONS, word);

/** `kill b` and `b kill` alike. Never rejects. */
export async function carryOut(desk: Desk, line: string): Promise<void> {
  const words = line.trim().split(/\s+/).filter(Boolean);
  const [only] = words;
  if (only === undefined) return;
  if (words.length === 1 && ['quit', 'exit', 'q'].includes(only)) return desk.quit();
  if (words.length === 1 && only === 'status') return desk.say(table(desk.members));
  const action = words.find(isAction);
  const member = words.map((word) => desk.members.get(word)).find(Boolean);
  if (words.length !== 2 || !action || !member) return desk.say(HELP);
  try {
    await ACTIONS[action](desk, member);
  } catch (error) {
    desk.say(error instanceof Error ? error.message : String(error));
  }
}

export function table(members: ReadonlyMap<string, Member>): string {
  return [...members.values()]
    .map(
      ({ name, pid, description }) =>
        `  ${name.padEnd(10)}${(pid === undefined ? 'not running' : `process ${pid}`).padEnd(18)}${description}`,
    )
    .join('\n');
}
