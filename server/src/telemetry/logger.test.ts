import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';

const LOGGER = new URL('logger.ts', import.meta.url).href;

/** What the process prints that logs this. */
function logged(fields: string, options: object): string {
  const program = `import { createLogger } from ${JSON.stringify(LOGGER)};
    createLogger(${JSON.stringify({ level: 'info', format: 'json', instance: 'a', ...options })})
      .info(${fields}, 'hello');`;
  return execFileSync(process.execPath, ['--conditions=weft-source', '--input-type=module', '-e', program], {
    encoding: 'utf8',
  });
}

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
