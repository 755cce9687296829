import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTokenVerifier } from '@weft/auth-jwt';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OPTION_NAMES, OPTIONS, flagOf } from '../config/options.ts';
import { COMMAND_OPTIONS } from './command-options.ts';

const MAIN = new URL('../main.ts', import.meta.url).pathname;
const SECRET = 'a secret that is only known to these tests';
let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'weft-cli-'));
});

afterAll(() => rmSync(directory, { recursive: true }));

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function weft(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  return run(MAIN, args, env);
}

function run(program: string, args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const { PATH, NODE_COMPILE_CACHE } = process.env;
    const options = { cwd: directory, env: { PATH, NODE_COMPILE_CACHE, ...env } };
    const child = execFile(
      process.execPath,
      ['--conditions=weft-source', program, ...args],
      options,
      (_error, out, err) => resolve({ code: child.exitCode ?? -1, out, err }),
    );
  });
}

describe('P10.3 weft', () => {
  test('P10.3 lists its commands', async () => {
    const { out } = await weft(['--help']);
    const commands = ['serve', 'migrate', 'worker', 'renew-epochs', 'token', 'check-config'];
    expect(Object.keys(COMMAND_OPTIONS)).toEqual(commands);
    for (const command of commands) expect(out).toContain(command);
  });

  test('P10.3 says what to do where it is not built', async () => {
    cpSync(new URL('../../bin', import.meta.url), join(directory, 'server/bin'), { recursive: true });
    const { code, err } = await run(join(directory, 'server/bin/weft.js'), ['--help']);
    expect(code).toBe(1);
    expect(err).toContain('npm run build');
  });

  test.each(Object.entries(COMMAND_OPTIONS))(
    'P10.3 %s has examples, and lists every option that it reads, with its variable, and no other',
    async (command, read) => {
      const { out } = await weft([command, '--help']);
      expect(out).toContain('Examples:');
      const help = out.replaceAll(/\s+/g, ' ');
      for (const name of OPTION_NAMES) {
        const { env, takes } = OPTIONS[name];
        const isRead = (read as readonly string[]).includes(name);
        expect([env, help.includes(`(${env};`)]).toEqual([env, isRead]);
        expect([env, help.includes(`${flagOf(name)} <${takes}>`)]).toEqual([env, isRead]);
      }
    },
  );

  test('P10.3 every option is of a command, and only serve and check-config have most', () => {
    const { serve, 'check-config': checked, ...few } = COMMAND_OPTIONS;
    expect(checked).toEqual(OPTION_NAMES);
    const served = new Set<string>(serve);
    expect(OPTION_NAMES.filter((name) => !served.has(name))).toEqual(['workerPort']);
    // Whoever looks after the database, or signs a token, has nothing to do with how documents are served.
    for (const names of Object.values(few)) {
      expect(names).not.toContain('logBacklog');
      expect(names).not.toContain('jwksUrl');
      expect(names).not.toContain('loadConcurrency');
    }
  });

  test('P10.3 suggests what was meant', async () => {
    expect(await weft(['serv'])).toMatchObject({ code: 1, err: expect.stringContaining('serve') as string });
  });
});

describe('P10.3 a database that cannot be reached', () => {
  test.each([
    ['migrate', 'weft migrate has failed'],
    ['renew-epochs', 'weft renew-epochs has failed'],
    ['worker', 'weft worker cannot start'],
    ['serve', 'weft cannot start'],
  ])('P10.3 is one line to %s, without a stack', async (command, begins) => {
    const env = { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/weft', WEFT_LOG_LEVEL: 'silent', PORT: '0' };
    const { code, err } = await weft([command], env);
    expect({ code, err }).toEqual({
      code: 1,
      err: `${begins}: the database cannot be reached (connect ECONNREFUSED 127.0.0.1:1). Start it, or change DATABASE_URL.\n`,
    });
  });

  test('P8.2 what listens and serves nobody yet does not say that it serves', async () => {
    const { out } = await weft(['serve'], { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/weft', PORT: '0' });
    const said = out
      .split('\n')
      .filter(Boolean)
      .map((line) => (JSON.parse(line) as { msg: string }).msg);
    expect(said).toEqual(['starting', expect.stringMatching(/^answers probes at .*; not ready yet$/)]);
  });
});

describe('P10.3 weft check-config', () => {
  test('prints what is in force, without secrets', async () => {
    const { code, out } = await weft(['check-config', '--port', '3000'], { WEFT_JWT_SECRET: SECRET });
    expect(code).toBe(0);
    expect(out).toMatch(/PORT +3000/);
    expect(out).not.toContain(SECRET);
  });

  test('lists all that is wrong, and fails', async () => {
    const { code, err } = await weft(['check-config'], {
      PORT: 'x',
      WEFT_LOG_LEVEL: 'loud',
      NODE_ENV: 'production',
    });
    expect(code).toBe(1);
    for (const name of ['PORT', 'WEFT_LOG_LEVEL', 'WEFT_JWT_SECRET']) expect(err).toContain(name);
  });
});

describe('P3.10 weft serve without a key', () => {
  test.each([{ NODE_ENV: 'production' }, { HOST: '0.0.0.0' }])(
    'P3.10 does not start with %j',
    async (env) => {
      expect(await weft(['serve'], env)).toMatchObject({
        code: 1,
        out: '',
        err: expect.stringContaining('anybody could be anyone') as string,
      });
    },
  );
});

describe('P3.8 weft token', () => {
  test('prints a token that the server accepts', async () => {
    const args = [
      'token',
      '--sub',
      'alice',
      '--group',
      'staff',
      'qa',
      '--scope',
      'admin',
      '--expires-in',
      '5m',
    ];
    const { out } = await weft([...args, '--grant', 'notes=2026=editor', 'x*=viewer'], {
      WEFT_JWT_SECRET: SECRET,
    });
    const principal = await createTokenVerifier({ secret: SECRET }).verify(out.trim());
    expect(principal).toMatchObject({ user: 'alice', groups: ['staff', 'qa'], scopes: ['admin'] });
    expect({ ...principal.grants }).toEqual({ 'notes=2026': 'editor', 'x*': 'viewer' });
    expect(Math.abs(principal.expiresAt - Date.now() - 300_000)).toBeLessThan(10_000);
  });

  test('signs a role that is not built in, and says that the tenant has to have defined it', async () => {
    const grants = ['--grant', 'notes=viewer', 'x*=reviewer'];
    const { code, out, err } = await weft(['token', '--sub', 'a', ...grants], { WEFT_JWT_SECRET: SECRET });
    expect(code).toBe(0);
    const principal = await createTokenVerifier({ secret: SECRET }).verify(out.trim());
    expect({ ...principal.grants }).toEqual({ notes: 'viewer', 'x*': 'reviewer' });
    expect(err).toContain('reviewer is not built in (viewer, commenter, editor, owner)');
    expect(err.trim().split('\n')).toHaveLength(1);
  });

  test('P3.10 the secret of development mode is made once, and only its owner may read it', async () => {
    const [first, second] = [await weft(['token', '--sub', 'a']), await weft(['token', '--sub', 'b'])];
    expect([first.code, second.code]).toEqual([0, 0]);
    expect(statSync(join(directory, 'data', 'development-secret')).mode & 0o777).toBe(0o600);
  });

  test.each([
    [['--sub', ''], {}, 'sub is not an identifier'],
    [['--sub', 'a', '--color', 'red'], {}, 'hex colour'],
    [['--sub', 'a', '--expires-in', '5'], {}, '--expires-in'],
    [['--sub', 'a', '--grant', 'notes'], {}, '<document>=<role>'],
    [['--sub', 'a', '--grant', `notes=${'x'.repeat(65)}`], {}, 'a role has 1 to 64 characters'],
    [
      ['--sub', 'a', '--scope', 'admin', 'admn'],
      {},
      "argument 'admn' is invalid. Allowed choices are admin, create.",
    ],
    [['--sub', 'a'], { NODE_ENV: 'production' }, 'WEFT_JWT_SECRET'],
    [['--sub', 'a'], { WEFT_JWKS_URL: 'https://keys.example' }, 'cannot sign'],
  ])('refuses %j %j', async (args, env, reason) => {
    expect(await weft(['token', ...args], env)).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringContaining(reason) as string,
    });
  });
});
