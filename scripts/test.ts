/** Runs everything that has to pass, in order, and ends with the line `N passed, N failed`. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { parseArgs } from 'node:util';
import { runCommand } from './test/command.ts';
import { judge, type Counts } from './test/counts.ts';
import { REPORT, STAGES, type Stage } from './test/stages.ts';

const HELP = `npm test -- [--only name,name] [--list]

  --only   run only these stages
  --list   say which stages there are
`;

/** Also when this file was not started by npm, which does the same. */
const PATH = [join(import.meta.dirname, '../node_modules/.bin'), process.env.PATH].join(delimiter);

const options = parseArgs({
  options: { only: { type: 'string' }, list: { type: 'boolean' }, help: { type: 'boolean' } },
});

interface Result extends Counts {
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

function run(command: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<number | null> {
  return runCommand(command, { env: { ...process.env, PATH, ...env }, limit: STAGE_LIMIT });
}

async function runStage(stage: Stage, directory: string): Promise<Counts> {
  if (stage.kind === 'check') {
    return (await run(stage.command)) === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
  }
  const report = join(directory, `${stage.name}.json`);
  const command = stage.command.map((argument) => argument.replace(REPORT, report));
  const status = await run(command, { PLAYWRIGHT_JSON_OUTPUT_FILE: report });
  let counts: Counts = { passed: 0, failed: 0 };
  try {
    counts = stage.parse(readFileSync(report, 'utf8'));
  } catch (error) {
    console.error(`No report of ${stage.name}: ${String(error)}`);
  }
  return judge(counts, status);
}

async function runAll(stages: readonly Stage[], directory: string): Promise<Result[]> {
  const results: Result[] = [];
  for (const stage of stages) {
    const failedNeed = stage.needs?.find((need) =>
      results.some(({ name, failed }) => name === need && failed > 0),
    );
    console.log(`\n── ${stage.name}: ${stage.what}`);
    if (failedNeed) console.error(`not run, because ${failedNeed} failed`);
    const started = performance.now();
    const counts = failedNeed ? { passed: 0, failed: 1 } : await runStage(stage, directory);
    results.push({ name: stage.name, seconds: (performance.now() - started) / 1000, ...counts });
  }
  return results;
}

function summarize(results: readonly Result[]): Counts {
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
  const stages = selected();
  const directory = mkdtempSync(join(tmpdir(), 'weft-test-'));
  const setup = await run(['npm', 'run', '-s', 'setup']);
  const results =
    setup === 0 ? await runAll(stages, directory) : [{ name: 'setup', passed: 0, failed: 1, seconds: 0 }];
  rmSync(directory, { recursive: true, force: true });
  const { passed, failed } = summarize(results);
  process.exitCode = failed === 0 ? 0 : 1;
  console.log(`${passed} passed, ${failed} failed`);
}

await main();
