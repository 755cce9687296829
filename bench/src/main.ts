import { startPostgres, startRedis } from '@weft/harness';
import { mkdirSync, writeFileSync } from 'node:fs';
import { arch, cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CleanUp } from './clean-up.ts';
import { PreparedDocuments } from './prepared.ts';
import { formatMarkdown, formatTable, summarize, type ScenarioResult } from './report.ts';
import { runRound, type Round } from './run.ts';
import { SCENARIOS } from './scenarios/index.ts';
import type { Scenario } from './scenarios/scenario.ts';
import { stock } from './targets/stock.ts';
import type { Services, Target } from './targets/target.ts';
import { weft } from './targets/weft.ts';

const HELP = `Compares Weft with stock Hocuspocus on this machine. See bench/README.md.

  npm run bench -- [options] [scenario…]

  --rounds <n>       rounds of each scenario and target, interleaved (default 3); medians are reported
  --target <name>    stock or weft only
  --quick            short windows and small crowds: shows that it works, measures little
  --trace <file>     a recorded editing session (.json.gz) as the large document, instead of a generated one
  --markdown <file>  also writes the summary as Markdown
  --list             names of the scenarios
  --help

A scenario may be given by the beginning of its name, e.g. "hot" or "cluster".
`;

const TARGETS: readonly Target[] = [stock, weft];

/** A server as people run it: what is committed is on disk. The harness' default for tests is faster. */
const POSTGRES_SETTINGS = { fsync: 'on', synchronous_commit: 'on', shared_buffers: '256MB' };

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      rounds: { type: 'string', default: '3' },
      target: { type: 'string' },
      quick: { type: 'boolean', default: false },
      trace: { type: 'string' },
      markdown: { type: 'string' },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const scenarios = chooseScenarios(positionals);
  if (values.list) return scenarios.forEach(({ name, title }) => console.log(`${name.padEnd(20)}${title}`));
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds must be a whole number from 1 on');
  const targets = TARGETS.filter(({ name }) => values.target === undefined || name === values.target);
  if (targets.length === 0) throw new Error('--target must be stock or weft');

  const cleanUp = new CleanUp();
  endOnSignals(cleanUp);
  try {
    const documents = new PreparedDocuments(values.trace);
    cleanUp.add(() => documents.remove());
    const services = await startServices(cleanUp);
    const results: ScenarioResult[] = [];
    for (const scenario of scenarios) {
      const options = { quick: values.quick, services, documents, cleanUp };
      results.push(await runScenario({ ...options, scenario, targets, rounds }));
    }
    save(results, { markdown: values.markdown, heading: describeRun({ rounds, quick: values.quick }) });
    if (results.some((result) => result.rounds.some(({ failure }) => failure !== undefined)))
      process.exitCode = 1;
  } finally {
    await cleanUp.endTo();
  }
}

function chooseScenarios(names: readonly string[]): readonly Scenario[] {
  for (const name of names) {
    if (!SCENARIOS.some((scenario) => scenario.name.startsWith(name))) {
      throw new Error(`There is no scenario "${name}"; --list shows them`);
    }
  }
  const chosen = ({ name }: Scenario) =>
    names.some(
      (given) => name === given || (!SCENARIOS.some((one) => one.name === given) && name.startsWith(given)),
    );
  return names.length === 0 ? SCENARIOS : SCENARIOS.filter(chosen);
}

async function startServices(cleanUp: CleanUp): Promise<Services> {
  const postgres = await startPostgres(POSTGRES_SETTINGS);
  cleanUp.add(() => postgres.remove());
  const redis = await startRedis();
  cleanUp.add(() => redis.remove());
  return { postgres, redis };
}

interface ScenarioRun {
  readonly scenario: Scenario;
  readonly targets: readonly Target[];
  readonly rounds: number;
  readonly quick: boolean;
  readonly services: Services;
  readonly documents: PreparedDocuments;
  readonly cleanUp: CleanUp;
}

/** The targets take turns, so that what drifts on the machine meets both. */
async function runScenario({ rounds, targets, ...options }: ScenarioRun): Promise<ScenarioResult> {
  const done: Round[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const target of targets) {
      process.stderr.write(`${options.scenario.name}: round ${round + 1} of ${rounds}, ${target.name} …\n`);
      done.push(await runRound({ ...options, target, round }));
    }
  }
  const result = summarize(options.scenario, done);
  console.log(formatTable(result));
  return result;
}

function describeRun({ rounds, quick }: { rounds: number; quick: boolean }): string {
  const [cpu] = cpus();
  const machine = `${cpus().length} cores (${cpu?.model.trim() ?? arch()}), ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}`;
  const how = `medians of ${rounds} interleaved round${rounds === 1 ? '' : 's'}${quick ? ', quick mode (not for comparison)' : ''}`;
  return `Node ${process.versions.node}, ${machine}; ${how}.`;
}

function save(
  results: readonly ScenarioResult[],
  { markdown, heading }: { markdown: string | undefined; heading: string },
): void {
  const directory = join(import.meta.dirname, '..', 'results');
  mkdirSync(directory, { recursive: true });
  const file = join(directory, `${new Date().toISOString().replaceAll(/[:.]/g, '-')}.json`);
  writeFileSync(file, JSON.stringify({ run: heading, results }, undefined, 2));
  console.log(`\n${heading}\n${file}`);
  if (markdown !== undefined) writeFileSync(markdown, formatMarkdown(results, heading));
}

function endOnSignals(cleanUp: CleanUp): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void cleanUp.endTo().finally(() => process.exit(130)));
  }
}

await main();
