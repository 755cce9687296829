import { writeClosedLoop } from './closed-loop.ts';
import { Crowd } from './crowd.ts';
import { typeUntilCut } from './cut.ts';
import { movePresence } from './presence.ts';
import { type } from './typing.ts';
import { verifyStates, Watchers, type View } from './verify.ts';

/** The load generator's process: does what its parent asks, one message each, and answers. */
const crowd = new Crowd();
const watchers = new Watchers();

const operations = {
  seed: async (options: Parameters<Crowd['seed']>[0]) => crowd.seed(options),
  join: (options: Parameters<Crowd['join']>[0]) => crowd.join(options),
  leave: async () => {
    watchers.leave();
    await crowd.leave();
  },
  type: (options: Parameters<typeof type>[1]) => type(crowd, options),
  writeClosedLoop: (options: Parameters<typeof writeClosedLoop>[1]) => writeClosedLoop(crowd, options),
  typeUntilCut: (options: Parameters<typeof typeUntilCut>[1]) => typeUntilCut(crowd, options),
  movePresence: (options: Parameters<typeof movePresence>[1]) => movePresence(crowd, options),
  watch: (view: View) => watchers.watch(view),
  verify: (options: { views: readonly View[] }) => watchers.verify(crowd, options),
  verifyStates: async (options: { document: string }) => verifyStates(crowd, options),
  load: (view: View) => watchers.load(view),
};

export type Operations = typeof operations;

export interface Request {
  readonly id: number;
  readonly name: keyof Operations;
  readonly options: unknown;
}
export interface Reply {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

async function answer({ id, name, options }: Request): Promise<void> {
  const reply = (message: Reply) => process.send?.(message);
  try {
    const operation = operations[name] as (options: unknown) => Promise<unknown>;
    reply({ id, result: await operation(options) });
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? ` (${error.cause.message})` : '';
    reply({ id, error: error instanceof Error ? `${error.message}${cause}` : String(error) });
  }
}

process.on('message', (request: Request) => void answer(request));
process.on('disconnect', () => process.exit(0));
