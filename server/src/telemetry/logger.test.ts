import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';

const LOGGER = new URL('logger.ts', import.meta.url).href;

function programOf(program: string, options: object): string[] {
  const made = `import { createLogger } from ${JSON.stringify(LOGGER)};
    const logger = createLogger(${JSON.stringify({ level: 'info', format: 'json', instance: 'a', ...options })});
    ${program}`;
  return ['--conditions=weft-source', '--input-type=module', '-e', made];
}

/** What the process prints that does this with its `logger`. */
const output = (program: string, options: object = {}): string =>
  execFileSync(process.execPath, programOf(program, options), { encoding: 'utf8' });

/** What the process prints that logs this. */
const logged = (fields: string, options: object): string =>
  output(`logger.info(${fields}, 'hello');`, options);

interface Line {
  readonly msg: string;
  readonly reason?: string;
  readonly document?: number;
  readonly err?: { readonly stack?: string };
}

const printed = (program: string): Line[] =>
  output(program)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);

test('P11.6 a line is JSON with level, time, instance and message', () => {
  expect(JSON.parse(logged('{ document: "a/b" }', {}))).toEqual({
    level: 'info',
    time: expect.stringMatching(/^\d{4}-.*Z$/) as string,
    instance: 'a',
    document: 'a/b',
    msg: 'hello',
  });
});

test('P7.6 nothing that is called a secret is written', () => {
  const line = logged(
    `{ token: 'hunter2', config: { jwtSecret: 'hunter2' }, req: { headers: { authorization: 'hunter2' } } }`,
    {},
  );
  expect(line).not.toContain('hunter2');
  expect(line).toContain('[redacted]');
});

test('P7.6 of an error only what it says is written, not what a library hung on it', () => {
  const line = logged(
    `{ err: Object.assign(new Error('broken', { cause: new Error('the cable') }), { code: 'E1', client: { secretKey: 4711 } }) }`,
    {},
  );
  expect(JSON.parse(line)).toMatchObject({
    err: { type: 'Error', message: 'broken: the cable', code: 'E1' },
  });
  expect(line).not.toContain('4711');
});

test('P11.6 for people it is a readable line', () => {
  expect(logged('{}', { format: 'pretty' })).toMatch(/INFO.*hello/);
});

test('P11.7 a database that is away takes a line and no stack, a flood of errors five', () => {
  const away = `{ err: Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }) }`;
  const lines = printed(`
    const child = logger.child({ reqId: 'r' });
    for (let i = 0; i < 50; i++) logger.warn(${away}, 'not written');
    for (let i = 0; i < 50; i++) child.error({ err: new TypeError('no function'), document: i }, 'frame failed');
    logger.warn({ code: 'a' }, 'refused');
    logger.warn({ code: 'b' }, 'refused');`);
  const stack: unknown = expect.stringContaining('TypeError: no function');
  expect(lines.map(({ msg, reason, document, err }) => [msg, reason ?? document, err?.stack])).toEqual([
    ['not written', 'connect ECONNREFUSED', undefined],
    ...[0, 1, 2, 3, 4].map((document) => ['frame failed', document, stack]),
    ['refused', undefined, undefined],
    ['refused', undefined, undefined],
  ]);
});

test.each(['json', 'pretty'])('P11.7 an output that takes nothing ends no program (%s)', (format) => {
  const unwritable = openSync(import.meta.filename, 'r');
  const program = programOf(
    `for (let i = 0; i < 5_000; i++) logger.info({ i }, 'hello');
    setTimeout(() => console.error('goes on'));`,
    { format },
  );
  const { stderr, status } = spawnSync(process.execPath, program, {
    encoding: 'utf8',
    stdio: ['ignore', unwritable, 'pipe'],
    timeout: 15_000,
  });
  closeSync(unwritable);
  expect({ stderr, status }).toEqual({ stderr: 'goes on\n', status: 0 });
});

test.each(['json', 'pretty'])(
  'P11.7 a log that nobody reads stops nothing: what it cannot hold is lost, and counted when it is read again (%s)',
  async (format) => {
    const program = programOf(
      `for (let i = 0; i < 20_000; i++) logger.info({ i }, 'hello '.repeat(20));
      console.error('goes on');
      process.stdin.on('data', () => process.exit()).resume();`,
      { format },
    );
    const child = spawn(process.execPath, program, { stdio: ['pipe', 'pipe', 'pipe'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    child.stdout.pause();
    const signal = AbortSignal.timeout(15_000);
    await once(child.stderr, 'data', { signal });
    let text = '';
    for await (const chunk of child.stdout.setEncoding('utf8')) {
      text += chunk;
      if (text.includes('were lost')) child.stdin.write('end');
    }
    const lines = text.trimEnd().split('\n');
    const lost = Number(/lines"?:\s?(\d+)/.exec(lines.at(-1) ?? '')?.[1]);
    expect(lost).toBeGreaterThan(0);
    expect(lines.length - 1 + lost).toBe(20_000);
  },
);

test('P11.7 what was logged last before an exit is written, though the log is read slowly', async () => {
  const program = programOf(
    `for (let i = 0; i < 4_000; i++) logger.info({ i }, 'hello '.repeat(20));
    logger.info('last');
    console.error('logged');
    process.exit();`,
    {},
  );
  const child = spawn(process.execPath, program, { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  child.stdout.pause();
  await once(child.stderr, 'data', { signal: AbortSignal.timeout(15_000) });
  const lines = (await child.stdout.setEncoding('utf8').toArray()).join('').trimEnd().split('\n');
  expect([lines.length, lines.at(-1)]).toEqual([4_001, expect.stringContaining('"last"')]);
});
