import { readFileSync } from 'node:fs';

/**
 * Loaded into a process before its program (`--import`): its time of day is ahead by the milliseconds in a file, and jumps
 * when they change. Clocks that only go forward stay as they are, as when somebody sets the time of a machine.
 */
const file = process.env.JUMPING_CLOCK ?? '';
const RealDate = Date;
const realNow = Date.now.bind(Date);
const look = () => Number(readFileSync(file, 'utf8'));
let ahead = look();
setInterval(() => (ahead = look()), 20).unref();

globalThis.Date = class extends RealDate {
  constructor(...given: [] | [number]) {
    if (given.length === 0) super(realNow() + ahead);
    else super(...given);
  }

  static override now(): number {
    return realNow() + ahead;
  }
} as DateConstructor;
