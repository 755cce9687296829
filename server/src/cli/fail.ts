/** Ends the program with what the person at the terminal can do about it. */
export function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
