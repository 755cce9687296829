import { isDatabaseAway, UnusableAnswer } from '@weft/common';

/** Longer than any chain of causes; they might go round in a circle. */
const MAX_CAUSES = 10;

/**
 * What is wrong elsewhere, in a few words, when an error comes from there: a database, a Redis or an endpoint that is away,
 * a network, an operating system. A stack says nothing about that. `undefined`: the error may be a bug of this program.
 */
export function foreignFailure(error: unknown): string | undefined {
  const root = rootOf(error);
  if (!(root instanceof Error) || !isForeign(root)) return undefined;
  const { code } = root as { code?: unknown };
  const said = messageOf(root);
  return typeof code === 'string' && !said.includes(code) ? `${said} (${code})` : said;
}

function rootOf(error: unknown): unknown {
  let root = error;
  for (let depth = 0; depth < MAX_CAUSES && root instanceof Error && root.cause !== undefined; depth++)
    root = root.cause;
  return root;
}

function isForeign(error: Error): boolean {
  return (
    isDatabaseAway(error) ||
    error instanceof UnusableAnswer ||
    'syscall' in error ||
    error.name === 'TimeoutError'
  );
}

/** Where a name has several addresses the error has none of its own, but one for each. */
function messageOf(error: Error): string {
  if (error.message !== '' || !(error instanceof AggregateError)) return error.message;
  return error.errors.map((each) => (each instanceof Error ? each.message : String(each))).join('; ');
}
