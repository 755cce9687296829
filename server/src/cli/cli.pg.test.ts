import { createDatabase, TestProcess, until } from '@weft/harness';
import { describe, expect, inject, onTestFinished, test } from 'vitest';

const MAIN = new URL('../main.ts', import.meta.url).pathname;

function weft(args: readonly string[], env: Record<string, string>): TestProcess {
  const started = new TestProcess('weft', process.execPath, ['--conditions=weft-source', MAIN, ...args], {
    env: { PATH: process.env.PATH, ...env },
  });
  onTestFinished(async () => void (await started.end('SIGKILL')));
  return started;
}

async function ended(args: readonly string[], env: Record<string, string>) {
  const started = weft(args, env);
  await until(() => !started.running, { timeout: 60_000, what: `weft ${args.join(' ')} to end` });
  return { code: started.child.exitCode, output: started.output };
}

describe('P10.3 weft migrate', { timeout: 120_000 }, () => {
  test('P10.3 says what is missing, makes it, once, and needs no key for tokens', async () => {
    const env = { DATABASE_URL: await createDatabase(inject('postgresUrl')), NODE_ENV: 'production' };
    expect(await ended(['migrate', '--check'], env)).toMatchObject({ code: 1 });
    expect((await ended(['migrate'], env)).output).toContain('Ran ');
    expect((await ended(['migrate'], env)).output).toContain('up to date');
    expect(await ended(['migrate', '--check'], env)).toMatchObject({ code: 0 });
  });
});

describe('P10.3 weft worker', { timeout: 120_000 }, () => {
  test('P10.3 does not run on tables that are behind, and ends with 0 on SIGTERM', async () => {
    const env = { DATABASE_URL: await createDatabase(inject('postgresUrl')), NODE_ENV: 'production' };
    const behind = await ended(['worker'], env);
    expect(behind.code).toBe(1);
    expect(behind.output).toContain('Run weft migrate');
    await ended(['migrate'], env);
    const worker = weft(['worker'], env);
    await until(() => worker.output.includes('is compacting'), { timeout: 60_000 });
    expect(await worker.end('SIGTERM')).toBe(0);
  });
});
