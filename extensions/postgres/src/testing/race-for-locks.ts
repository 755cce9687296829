/**
 * Tries to lock every directory of a list in turn, each at a moment that is the same for every process that runs
 * this, prints the positions of those it got, and holds them until it is killed:
 * `race-for-locks.ts <start> <interval> <directory>…`, in milliseconds since 1970 and between two directories.
 */
import { lockDirectory } from '../embedded/directory-lock.ts';

const [start = '', interval = '', ...directories] = process.argv.slice(2);
directories.forEach((directory, at) => {
  const moment = Number(start) + at * Number(interval);
  // A timer would be late by another time in each process.
  while (Date.now() < moment);
  try {
    lockDirectory(directory);
    process.stdout.write(`${at}\n`);
  } catch {
    // Another process has it.
  }
});
process.stdout.write('done\n');
setInterval(() => undefined, 60_000);
