import type { CleanUp } from './clean-up.ts';
import { LoadGenerator } from './load/generator.ts';
import type { PreparedDocuments } from './prepared.ts';
import { seededRandom } from './random.ts';
import type { Readings, Scenario, Stage } from './scenarios/scenario.ts';
import type { Services, Target } from './targets/target.ts';

export interface RunOptions {
  readonly scenario: Scenario;
  readonly target: Target;
  readonly round: number;
  readonly quick: boolean;
  readonly services: Services;
  readonly documents: PreparedDocuments;
  readonly cleanUp: CleanUp;
}

export interface Round {
  readonly target: Target['name'];
  readonly readings: Readings;
  readonly notes: readonly string[];
  /** Why there are no readings. */
  readonly failure?: string;
}

/** One round of one scenario with one target: fresh server processes, database and generator, all ended after. */
export async function runRound(options: RunOptions): Promise<Round> {
  const { scenario, target } = options;
  const notes: string[] = [];
  const mark = options.cleanUp.mark();
  const expiry = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => expiry.reject(new Error(`not done within ${scenario.deadline / 1000} s`)),
    scenario.deadline,
  );
  try {
    const readings = await Promise.race([expiry.promise, perform(options, notes)]);
    return { target: target.name, readings, notes };
  } catch (error) {
    return { target: target.name, readings: {}, notes, failure: explain(error) };
  } finally {
    clearTimeout(timer);
    await options.cleanUp.endTo(mark);
  }
}

async function perform(
  { scenario, target, round, quick, services, documents, cleanUp }: RunOptions,
  notes: string[],
): Promise<Readings> {
  const deployment = await target.deploy({
    services,
    cleanUp,
    instances: scenario.instances,
    inspectMemory: scenario.inspectMemory ?? false,
  });
  const load = new LoadGenerator();
  cleanUp.add(() => load.end());
  const stage: Stage = {
    deployment,
    services,
    load,
    // The same numbers for both targets of a round.
    random: seededRandom(round + 1),
    quick,
    page: () => documents.page(),
    largeDocument: () => documents.large(),
    hugeDocument: () => documents.huge(),
    note: (text) => notes.push(text),
  };
  try {
    return await scenario.run(stage);
  } catch (error) {
    const output = deployment.instances
      .map(({ process }) => process.output)
      .join('\n')
      .slice(-1_000);
    throw new Error(`${explain(error)}${output ? `\n${output}` : ''}`, { cause: error });
  }
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause =
    error.cause instanceof Error && !error.message.includes(error.cause.message)
      ? `: ${error.cause.message}`
      : '';
  return `${error.message}${cause}`;
}
