/** Runs everything that has to pass, in order, and ends with the line `N passed, N failed`. */
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { parseArgs } from 'node:util';
import { runCommand, type RunOptions } from './test/command.ts';
import { exitedWith, judge, type Counts, type Outcome } from './test/counts.ts';
import { REPORT, STAGES, type Check, type Stage, type Suite } from './test/stages.ts';

const HELP = `npm test -- [--only name,name] [--list]

  --only   run only these stages
  --list   say which stages there are
`;

/** Also when this file was not started by npm, which does the same. */
const PATH = [join(import.meta.dirname, '../node_modules/.bin'), process.env.PATH].join(delimiter);

const options = parseArgs({
  options: { only: { type: 'string' }, list: { type: 'boolean' }, help: { type: 'boolean' } },
});

interface Result extends Outcome {
  readonly name: string;
  readonly seconds: number;
}

function selected(): readonly Stage[] {
  const only = options.values.only?.split(',').map((name) => name.trim());
  const unknown = only?.filter((name) => !STAGES.some((stage) => stage.name === name)) ?? [];
  if (unknown.length > 0) {
    console.error(`There is no stage ${unknown.join(', ')}. See --list.`);
    process.exit(2);
  }
  return STAGES.filter(({ name }) => !only || only.includes(name));
}

/** No stage takes half of it: whatever is not done by then hangs. */
const STAGE_LIMIT = 15 * 60_000;

function run(
  command: readonly string[],
  { env = {}, ...options }: Partial<RunOptions> = {},
): Promise<number | null> {
  return runCommand(command, { limit: STAGE_LIMIT, ...options, env: { ...process.env, PATH, ...env } });
}

/** What the stages share, removed at the end: reports, compiled code, databases to begin with. */
function makeDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'weft-test-'));
  // Postgres runs under an account of its own where this is root.
  chmodSync(directory, 0o755);
  process.env.NODE_COMPILE_CACHE = join(directory, 'compiled');
  process.env.WEFT_E2E_PREPARED = directory;
  return directory;
}

function announce({ name, what }: Pick<Stage, 'name' | 'what'>): void {
  console.log(`\n── ${name}: ${what}`);
}

async function timed(name: string, work: () => Promise<Outcome>): Promise<Result> {
  const started = performance.now();
  const outcome = await work();
  return { name, seconds: (performance.now() - started) / 1000, ...outcome };
}

type Program = Pick<Stage, 'name' | 'what' | 'command'>;

/** @returns its exit code */
type Runner = (program: Program, options?: Partial<RunOptions>) => Promise<number | null>;

const runShown: Runner = (program, options) => {
  announce(program);
  return run(program.command, options);
};

/** What was said by that which ran beside others, not printed yet. */
const said: (() => void)[] = [];

function printSaid(): void {
  for (const print of said.splice(0)) print();
}

/** What it says is kept until nothing else is printing. */
const runBeside: Runner = async (program, options) => {
  const output: Buffer[] = [];
  const status = await run(program.command, { ...options, onOutput: (chunk) => output.push(chunk) });
  said.push(() => {
    announce(program);
    process.stdout.write(Buffer.concat(output));
  });
  return status;
};

function runCheck(check: Check, options?: Pick<RunOptions, 'niceness'>): Promise<Result> {
  return timed(check.name, async () => {
    const status = await runBeside(check, options);
    return status === 0
      ? { passed: 1, failed: 0, failures: [] }
      : failedAlone(check.what, exitedWith(status));
  });
}

/** Of what counts as one test, and gave no report. */
function failedAlone(test: string, error: string): Outcome {
  return { passed: 0, failed: 1, failures: [{ test, error }] };
}

function setUpMachine(): Promise<Result> {
  return timed('setup', async () => {
    const what = 'the programs that the tests start';
    const status = await runBeside({ name: 'setup', what, command: ['npm', 'run', '-s', 'setup'] });
    return status === 0 ? { passed: 0, failed: 0, failures: [] } : failedAlone(what, exitedWith(status));
  });
}

/** One after the other, with the time that the suites leave: those wait for servers, timers and pages half of theirs. */
async function runInSpareTime(checks: readonly Check[]): Promise<Result[]> {
  const results: Result[] = [];
  for (const check of checks) results.push(await runCheck(check, { niceness: 19 }));
  return results;
}

async function runSuite(suite: Suite, directory: string, runner: Runner): Promise<Outcome> {
  const report = join(directory, `${suite.name}.json`);
  const command = suite.command.map((argument) => argument.replace(REPORT, report));
  const status = await runner({ ...suite, command }, { env: { PLAYWRIGHT_JSON_OUTPUT_FILE: report } });
  try {
    return judge(suite.parse(readFileSync(report, 'utf8')), status);
  } catch (error) {
    return failedAlone(suite.what, `no report: ${String(error)}`);
  }
}

/** Without it the suites make for themselves what they need, and take longer. */
async function prepare(suites: readonly Suite[], directory: string): Promise<void> {
  if (!suites.some(({ needs }) => needs.includes('build'))) return;
  await run(['node', '--conditions=weft-source', 'scripts/test/prepare.ts', directory]);
}

/** What runs at once, one group after the other. */
function groupSuites(suites: readonly Suite[]): Suite[][] {
  const isLed = ({ beside }: Suite) => suites.some(({ name }) => name === beside);
  return suites
    .filter((suite) => !isLed(suite))
    .map((leader) => [leader, ...suites.filter(({ beside }) => beside === leader.name)]);
}

async function runSuites(suites: readonly Suite[], checks: readonly Result[]): Promise<Result[]> {
  const failedCheck = (name: string) => checks.some((check) => check.name === name && check.failed > 0);
  const directory = makeDirectory();
  const runUnlessBroken = (suite: Suite, runner: Runner): Promise<Result> => {
    const broken = suite.needs.find(failedCheck);
    const work = broken
      ? async () => failedAlone(suite.what, `not run, because ${broken} failed`)
      : () => runSuite(suite, directory, runner);
    return timed(suite.name, work);
  };
  const results: Result[] = [];
  if (!failedCheck('build')) await prepare(suites, directory);
  for (const [leader, ...others] of groupSuites(suites)) {
    printSaid();
    const shown = leader ? [runUnlessBroken(leader, runShown)] : [];
    const kept = others.map((suite) => runUnlessBroken(suite, runBeside));
    results.push(...(await Promise.all([...shown, ...kept])));
  }
  rmSync(directory, { recursive: true, force: true });
  return results;
}

/** The checks need nothing of the set-up, and the suites only one of the checks. */
async function runAll(): Promise<Result[]> {
  const stages = selected();
  const suites = stages.filter((stage) => stage.kind === 'suite');
  const checks = stages.filter((stage) => stage.kind === 'check');
  const needed = checks.filter(({ name }) => suites.some(({ needs }) => needs.includes(name)));
  const others = runInSpareTime(checks.filter((check) => !needed.includes(check)));
  const [setUp, ...first] = await Promise.all([setUpMachine(), ...needed.map((check) => runCheck(check))]);
  const results = setUp.failed > 0 ? [setUp] : await runSuites(suites, first);
  const last = await others;
  printSaid();
  return [...first, ...last, ...results];
}

function nameFailures(results: readonly Result[]): void {
  for (const { name, failures } of results)
    for (const { test, error } of failures) console.log(`\nFAILED ${name}: ${test}\n  ${error}`);
}

function summarize(results: readonly Result[]): Counts {
  nameFailures(results);
  console.log();
  for (const { name, passed, failed, seconds } of results) {
    const verdict = failed > 0 ? `FAILED ${failed}` : 'ok';
    console.log(
      `${name.padEnd(10)}${`${passed} passed`.padStart(12)}${`${seconds.toFixed(1)} s`.padStart(10)}  ${verdict}`,
    );
  }
  return results.reduce(
    (sum, { passed, failed }) => ({ passed: sum.passed + passed, failed: sum.failed + failed }),
    { passed: 0, failed: 0 },
  );
}

async function main(): Promise<void> {
  if (options.values.help) return console.log(HELP);
  if (options.values.list) {
    for (const { name, what } of STAGES) console.log(`${name.padEnd(10)}${what}`);
    return;
  }
  const results = await runAll();
  const { passed, failed } = summarize(results);
  process.exitCode = failed === 0 ? 0 : 1;
  console.log(`${passed} passed, ${failed} failed`);
}

await main();
