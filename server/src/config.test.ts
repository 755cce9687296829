import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ConfigError, loadConfig, type Environment, type FlagValues } from './config.ts';
import { showConfig } from './config/show.ts';
import { LOCAL_ORIGINS } from './origins.ts';

const SECRET = 'a secret that has more than thirty-two bytes';

function problemsOf(environment: Environment, flags: FlagValues = {}): readonly string[] {
  try {
    loadConfig({ environment, flags });
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('P10.1 without any configuration', () => {
  const config = loadConfig({ environment: {} });

  test('P10.1 it listens on loopback, in development mode, with the embedded database', () => {
    expect(config).toMatchObject({
      allowedOrigins: LOCAL_ORIGINS,
      host: '127.0.0.1',
      port: 8080,
      databaseUrl: undefined,
      autoMigrate: true,
      development: true,
      warnings: [],
    });
  });

  test('P10.1 and two processes have different instance ids', () => {
    expect(config.instanceId).not.toBe(loadConfig({ environment: {} }).instanceId);
  });
});

describe('a value is read the same way from everywhere', () => {
  test('a flag wins over the environment', () => {
    expect(loadConfig({ environment: { PORT: '1' }, flags: { port: '2' } }).port).toBe(2);
  });

  test('an empty variable counts as not set', () => {
    expect(loadConfig({ environment: { PORT: '', WEFT_JWT_SECRET: '' } })).toMatchObject({
      port: 8080,
      development: true,
    });
  });

  test('a secret can be read from a file', () => {
    const directory = mkdtempSync(join(tmpdir(), 'weft-config-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    writeFileSync(join(directory, 'secret'), `${SECRET}\n`);
    const config = loadConfig({ environment: { WEFT_JWT_SECRET_FILE: join(directory, 'secret') } });
    expect(config).toMatchObject({ jwtSecret: SECRET, development: false, warnings: [] });
  });

  test('durations and sizes have units', () => {
    const environment = { WEFT_IDLE_TIMEOUT: '1.5m', WEFT_MAX_FRAME: '64KiB', WEFT_CARRIED_GRACE: 'never' };
    expect(loadConfig({ environment })).toMatchObject({
      idleTimeout: 90_000,
      maxFrame: 65_536,
      carriedGrace: Infinity,
    });
  });

  test('lists are separated by commas', () => {
    const environment = { WEFT_ALLOWED_ORIGINS: 'https://a.example, http://localhost:5173' };
    expect(loadConfig({ environment }).allowedOrigins).toEqual([
      'https://a.example',
      'http://localhost:5173',
    ]);
  });

  test('with a key for tokens, pages of this machine are let in like any others: when they are named', () => {
    const environment = { WEFT_JWT_SECRET: SECRET };
    expect(loadConfig({ environment }).allowedOrigins).toEqual([]);
  });

  test('a line-folded PEM is unfolded', () => {
    const folded = '-----BEGIN PUBLIC KEY-----\\nabc\\n-----END PUBLIC KEY-----';
    expect(loadConfig({ environment: { WEFT_JWT_PUBLIC_KEY: folded } }).jwtPublicKey).toContain('\nabc\n');
  });
});

describe('P10.2 a bad configuration is refused', () => {
  test('naming the option, what it must be, and what it is', () => {
    expect(problemsOf({ PORT: 'http' })).toEqual([
      'PORT must be a whole number from 0 to 65535, not "http".',
    ]);
    expect(problemsOf({}, { port: '-1' })).toEqual([
      '--port must be a whole number from 0 to 65535, not "-1".',
    ]);
  });

  test.each([
    ['HOST', '[::1]'],
    ['HOST', 'localhost:8080'],
    ['HOST', 'http://localhost'],
    ['HOST', '300.0.0.1'],
    ['HOST', '0.0.0.0.'],
    ['HOST', 'weft..example'],
    ['HOST', '-weft'],
    ['WEFT_IDLE_TIMEOUT', '30'],
    ['WEFT_IDLE_TIMEOUT', '2d'],
    ['WEFT_MAX_FRAME', '1 MB'],
    ['WEFT_MAX_FRAME', '1'],
    ['WEFT_AUTO_MIGRATE', 'maybe'],
    ['WEFT_DEFAULT_MODE', 'Live'],
    ['WEFT_ALLOWED_ORIGINS', 'https://a.example/path'],
    ['WEFT_TRUSTED_PROXIES', 'proxy.local'],
    ['WEFT_JWKS_URL', 'http://keys.example/jwks'],
    ['WEFT_INSTANCE_ID', 'a b'],
    ['WEFT_WEB_ROOT', '/nowhere'],
    ['DATABASE_URL', 'mysql://localhost/x'],
  ])('%s=%s', (name, text) => {
    expect(problemsOf({ [name]: text })).toEqual([expect.stringContaining(`${name} must be`)]);
  });

  test('with all its problems at once', () => {
    const problems = problemsOf({ PORT: 'x', WEFT_LOG_LEVEL: 'loud', REDIS_URL: 'redis://localhost' });
    expect(problems.map((each) => each.split(' ')[0])).toEqual(['PORT', 'WEFT_LOG_LEVEL', 'REDIS_URL']);
  });

  test('without repeating a secret', () => {
    const environment = { WEFT_JWT_SECRET: 'hunter2', DATABASE_URL: 'pg://me:hunter2@db/x' };
    expect(problemsOf(environment)).toHaveLength(2);
    expect(problemsOf(environment).join()).not.toContain('hunter2');
  });

  test('once: a key that cannot be read is not also a missing one', () => {
    expect(problemsOf({ NODE_ENV: 'production', WEFT_JWT_SECRET: 'short' })).toEqual([
      'WEFT_JWT_SECRET must be at least 32 bytes long; make one with: openssl rand -base64 32.',
    ]);
  });

  test.each([
    [{ WEFT_JWT_SECRET: SECRET, WEFT_JWKS_URL: 'https://k.example' }, /both set/],
    [{ WEFT_PERMISSION_URL: 'https://p.example' }, /needs WEFT_PERMISSION_SECRET/],
    [{ WEFT_DRAIN_SPREAD: '25s' }, /must be shorter than WEFT_SHUTDOWN_TIMEOUT/],
    [{ WEFT_MAX_DOCUMENT: '1MiB' }, /must not be larger/],
    [{ WEFT_JWT_SECRET_FILE: '/nowhere' }, /cannot be read/],
    [{ WEFT_JWT_SECRET: SECRET, WEFT_JWT_SECRET_FILE: import.meta.filename }, /both set/],
  ])('when options contradict each other: %j', (environment, reason) => {
    expect(problemsOf(environment)).toEqual([expect.stringMatching(reason)]);
  });
});

describe('P3.10 without a key for tokens it serves nobody from outside', () => {
  test.each([
    { NODE_ENV: 'production' },
    { HOST: '0.0.0.0' },
    { HOST: '::' },
    { HOST: '192.0.2.1' },
    { HOST: 'example.com' },
    { HOST: '127.example.com' },
    { HOST: 'weft_1' },
    { HOST: 'fe80::1%eth0' },
  ])('P3.10 refuses %j', (environment) => {
    expect(problemsOf(environment)).toEqual([expect.stringContaining('anybody could be anyone')]);
    expect(problemsOf({ ...environment, WEFT_JWT_SECRET: SECRET })).toEqual([]);
  });

  test.each(['localhost', '::1', '127.0.0.2'])('P3.10 takes HOST %s', (HOST) => {
    expect(loadConfig({ environment: { HOST } }).development).toBe(true);
  });
});

describe('migrating at start', () => {
  test.each([
    [{}, true],
    [{ DATABASE_URL: 'postgres://db/x' }, true],
    [{ DATABASE_URL: 'postgres://db/x', NODE_ENV: 'production', WEFT_JWT_SECRET: SECRET }, false],
    [{ NODE_ENV: 'production', WEFT_JWT_SECRET: SECRET }, true],
    [{ WEFT_AUTO_MIGRATE: 'no' }, false],
  ])('%j → %s', (environment, expected) => {
    expect(loadConfig({ environment }).autoMigrate).toBe(expected);
  });
});

test('an unknown WEFT_ variable is warned of', () => {
  const config = loadConfig({ environment: { WEFT_MAX_FRAMES: '1' } });
  expect(config.warnings).toEqual([expect.stringContaining('WEFT_MAX_FRAMES is not an option')]);
});

test('a secret for an endpoint that is not set is warned of', () => {
  const environment = { WEFT_PERMISSION_SECRET: SECRET };
  expect(loadConfig({ environment }).warnings).toEqual([expect.stringContaining('WEFT_PERMISSION_URL')]);
});

test('what is in force is shown without secrets', () => {
  const shown = showConfig(
    loadConfig({
      environment: { WEFT_JWT_SECRET: SECRET, DATABASE_URL: 'postgres://me:hunter2@db.example:5432/weft' },
    }),
  );
  expect(shown).toContain('postgres://db.example:5432/weft');
  expect(shown).not.toContain('hunter2');
  expect(shown).not.toContain(SECRET);
});
