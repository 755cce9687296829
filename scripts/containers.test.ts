import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { ERRORS } from '@weft/common';
import { findProgram } from '@weft/harness';
import { afterAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { loadConfig } from '../server/src/config.ts';
import { OPTION_NAMES, optionOf } from '../server/src/config/options.ts';
import { createMetrics } from '../server/src/telemetry/metrics.ts';
import { mainConfiguration, siteConfiguration } from './cluster/load-balancer.ts';

const ROOT = resolve(import.meta.dirname, '..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

interface Build {
  readonly context: string;
  readonly dockerfile: string;
}

interface Service {
  readonly image: string;
  readonly build?: Build;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly secrets?: readonly string[];
  readonly volumes?: readonly string[];
  readonly healthcheck?: { readonly test?: readonly string[] };
  readonly depends_on?: readonly string[] | Readonly<Record<string, unknown>>;
  readonly networks?: Readonly<Record<string, { readonly ipv4_address?: string }>> | readonly string[];
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

const COMPOSE_FILES = ['docker/compose.yaml', 'docker/compose.cluster.yaml'];
const compose = (path: string) => parse(read(path), { merge: true }) as Compose;
const cluster = compose('docker/compose.cluster.yaml');

interface HealthCheck {
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a health check as a container's engine does, against something that is well, unwell, and gone. */
async function expectToTell(check: (port: number) => HealthCheck): Promise<void> {
  let status = 200;
  const asked: (string | undefined)[] = [];
  const server = createServer(({ url }, response) => {
    asked.push(url);
    response.writeHead(status).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { command, env = {} } = check((server.address() as AddressInfo).port);
  const [program = '', ...words] = command;
  const exitCode = async () => {
    const child = spawn(program, words, { env: { ...process.env, ...env }, stdio: 'ignore' });
    const [code] = (await once(child, 'exit')) as [number | null];
    return code;
  };
  expect(await exitCode()).toBe(0);
  status = 503;
  expect(await exitCode()).toBe(1);
  server.close();
  await once(server, 'close');
  expect(await exitCode()).toBe(1);
  expect(asked).toEqual(['/healthz', '/healthz']);
}

function environmentOf({ environment = {} }: Service): [string, string][] {
  return Object.entries(environment);
}

describe.each(COMPOSE_FILES)('P10.15 %s', (path) => {
  const { services, secrets, volumes } = compose(path);
  const ours = Object.entries(services).filter(([, { build }]) => build);

  test('P10.15 sets only options that exist, to values that are taken', () => {
    const known = new Map(OPTION_NAMES.map((name) => [optionOf(name).env, optionOf(name)] as const));
    for (const [, service] of ours) {
      for (const [name, value] of environmentOf(service)) {
        const option = known.get(name.replace(/_FILE$/, ''));
        expect(option, `${name} is an option`).toBeDefined();
        if (name.endsWith('_FILE')) expect(option?.secret, `${name} may come from a file`).toBe(true);
        else expect(option?.schema.safeParse(value), `${name}=${value}`).toMatchObject({ success: true });
      }
    }
  });

  test('P10.15 serves in production with the secrets in place', () => {
    const files = mkdtempSync(join(tmpdir(), 'weft-secrets-'));
    const contents: Record<string, string> = {
      'jwt-secret': 'x'.repeat(64),
      'database-url': 'postgres://weft:word@postgres:5432/weft',
      'metrics-token': 'y'.repeat(64),
    };
    for (const [name, text] of Object.entries(contents)) writeFileSync(join(files, name), text);
    const image = { NODE_ENV: 'production', HOST: '0.0.0.0', PORT: '8080' };
    const serving = ours.filter(([, { command = ['serve'] }]) => command[0] === 'serve');
    expect(serving.length).toBeGreaterThan(0);
    for (const [, service] of serving) {
      const mounted = environmentOf(service).map(([name, value]) => [
        name,
        value.replace('/run/secrets', files),
      ]);
      const config = loadConfig({ environment: { ...image, ...(Object.fromEntries(mounted) as object) } });
      expect(config).toMatchObject({ development: false, warnings: [] });
    }
    rmSync(files, { recursive: true });
  });

  test('P10.15 every secret that is read is mounted, declared, and made by the script', () => {
    const made = read('docker/make-secrets.sh');
    for (const [name, service] of Object.entries(services)) {
      for (const [, value] of environmentOf(service).filter(([, text]) => text.startsWith('/run/secrets/'))) {
        expect(service.secrets, `${name} mounts ${value}`).toContain(value.slice('/run/secrets/'.length));
      }
      for (const secret of service.secrets ?? []) {
        expect(secrets[secret]?.file).toBe(`./secrets/${secret}`);
        expect(made).toContain(secret);
      }
    }
  });

  test('P10.15 names only files, volumes and services that are there', () => {
    for (const [, { build, volumes: mounts = [], depends_on: needs = [] }] of Object.entries(services)) {
      if (build) expect(existsSync(join(ROOT, 'docker', build.context, build.dockerfile))).toBe(true);
      for (const mount of mounts) {
        const source = mount.split(':')[0] ?? '';
        const there = source.startsWith('.') ? existsSync(join(ROOT, 'docker', source)) : source in volumes;
        expect(there, mount).toBe(true);
      }
      for (const need of Array.isArray(needs) ? (needs as string[]) : Object.keys(needs)) {
        expect(Object.keys(services)).toContain(need);
      }
    }
  });

  test('P10.15 every image has a version', () => {
    for (const [, { image }] of Object.entries(services)) expect(image).toMatch(/:v?\d+\.\d+(\.\d+)?(-|$)/);
  });
});

describe('P10.16 the image', () => {
  const dockerfile = read('docker/Dockerfile');
  const stages = dockerfile.split(/^FROM /m).slice(1);
  const last = stages.at(-1) ?? '';

  test('P10.16 is built in one stage and run in another, without root, and tells whether it is alive', () => {
    expect(stages.length).toBeGreaterThan(1);
    for (const stage of stages) expect(stage).toMatch(/^node:\d+\.\d+\.\d+-\S*slim/);
    expect(last).toMatch(/^USER node$/m);
    expect(last.indexOf('USER node')).toBeLessThan(last.indexOf('ENTRYPOINT'));
    expect(last).toMatch(/^HEALTHCHECK[^]*\/healthz/m);
    expect(last).toMatch(/^ENTRYPOINT \["node", "server\/bin\/weft\.js"\]$/m);
    expect(last).toMatch(/HOST=0\.0\.0\.0/);
  });

  test('P10.16 runs the Node that the project is tested with', () => {
    const { devDependencies } = JSON.parse(read('package.json')) as { devDependencies: { node: string } };
    for (const stage of stages) {
      expect(stage.split('-')[0]).toBe(`node:${devDependencies.node.replace('^', '')}`);
    }
  });

  test('P10.16 copies only what is there and what the build context lets in', () => {
    const let_in = read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    const copied = [...dockerfile.matchAll(/^COPY (?!--)(.+) \S+$/gm)].flatMap(([, paths = '']) =>
      paths.split(' '),
    );
    expect(copied.length).toBeGreaterThan(5);
    for (const path of copied) {
      expect(existsSync(join(ROOT, path)), path).toBe(true);
      expect(let_in).toContain(path);
    }
  });

  test('P10.16 has every workspace that the lock file names', () => {
    const { workspaces } = JSON.parse(read('package.json')) as { workspaces: string[] };
    for (const workspace of workspaces)
      expect(dockerfile).toContain(dirname(`${workspace.replace('/*', '')}/x`));
  });

  test('P10.16 its health check is the route that exists', () => {
    expect(read('server/src/http/health.ts')).toContain("'/healthz'");
  });

  test('P10.16 its health check passes while that answers well, else not', async () => {
    const [, check = ''] = /^HEALTHCHECK[^]*?CMD (\[.*\])$/m.exec(last) ?? [];
    await expectToTell((port) => ({ command: JSON.parse(check) as string[], env: { PORT: String(port) } }));
  });
});

describe('P8.7 the load balancer', () => {
  const directory = mkdtempSync(join(tmpdir(), 'weft-nginx-'));
  afterAll(() => rmSync(directory, { recursive: true }));

  const shipped = read('docker/nginx/weft.conf');

  test('P8.7 has a configuration that nginx takes, as it is shipped and as the local cluster changes it', () => {
    const nginx = findProgram('nginx');
    if (!nginx) throw new Error('No nginx here; run `npm run setup`');
    const main = join(directory, 'nginx.conf');
    writeFileSync(main, mainConfiguration(directory));
    for (const site of [shipped, siteConfiguration(shipped, { port: 8080, instances: [1, 2, 3] })]) {
      writeFileSync(join(directory, 'weft.conf'), site);
      execFileSync(nginx, ['-t', '-q', '-p', directory, '-e', 'stderr', '-c', main]);
    }
  });

  test('P8.7 sends to the instances of the compose file, each by its fixed address', () => {
    const addresses = Object.entries(cluster.services).flatMap(([name, { networks }]) => {
      const address = (networks as Record<string, { ipv4_address?: string }> | undefined)?.weft?.ipv4_address;
      return /^weft-/.test(name) && address ? [`${address}:8080`] : [];
    });
    expect(addresses.length).toBe(3);
    expect([...shipped.matchAll(/server (10\.\S+) /g)].map(([, address]) => address)).toEqual(addresses);
  });

  test('P8.7 waits longer than the heartbeat, and is the proxy that the instances believe', () => {
    const { heartbeatInterval } = loadConfig({ environment: {} });
    const idle = Number(/proxy_read_timeout (\d+)s;/.exec(shipped)?.[1]) * 1_000;
    expect(idle).toBeGreaterThan(2 * heartbeatInterval);
    const { networks } = cluster.services['load-balancer'] ?? {};
    const address = (networks as Record<string, { ipv4_address?: string }>).weft?.ipv4_address;
    for (const name of ['weft-a', 'weft-b', 'weft-c']) {
      expect(cluster.services[name]?.environment?.WEFT_TRUSTED_PROXIES).toBe(address);
    }
  });
});

describe('P12.6 the dashboard and the alarms', () => {
  const ours = registeredMetrics();

  interface Panel {
    readonly title: string;
    readonly targets?: readonly { readonly expr: string }[];
  }
  const { panels } = JSON.parse(read('docker/grafana/dashboards/weft.json')) as { panels: Panel[] };
  const { groups } = parse(read('docker/prometheus/alerts.yaml')) as {
    groups: { rules: { alert: string; expr: string; labels: { severity: string } }[] }[];
  };
  const rules = groups.flatMap((group) => group.rules);
  const expressions = [
    ...panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => [title, expr] as const)),
    ...rules.map(({ alert, expr }) => [alert, expr] as const),
  ];

  test('P12.6 ask only for metrics that exist', async () => {
    const { body } = await createMetrics({ instance: 'any' }).exposition();
    const ofNode = [...body.matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name);
    const known = new Set([...ours.keys(), ...ofNode, 'up']);
    for (const [where, expression] of expressions) {
      const names = expression.match(/\b(weft|nodejs|process)_\w+|\bup\b/g) ?? [];
      expect(names.length, `${where} asks for something`).toBeGreaterThan(0);
      for (const name of names) expect(known, `${where}: ${name}`).toContain(name);
    }
  });

  test('P12.6 show every metric of ours', () => {
    const asked = expressions.map(([, expression]) => expression).join('\n');
    const families = [...ours.keys()].filter((name) => !/_(bucket|sum|count)$/.test(name));
    for (const name of families) expect(asked).toMatch(new RegExp(`\\b${name}(_bucket|_sum)?\\b`));
  });

  test('P12.6 name only error codes that exist', () => {
    const codes = expressions.flatMap(([, expression]) =>
      [...expression.matchAll(/\{code=~?"([^"]+)"/g)].flatMap(([, list = '']) => list.split('|')),
    );
    expect(codes.length).toBeGreaterThan(0);
    for (const code of codes) expect(Object.keys(ERRORS)).toContain(code);
  });

  test('P12.6 every alarm is explained to whoever is woken by it', () => {
    const operations = read('docs/OPERATIONS.md');
    for (const { alert } of rules) expect(operations).toContain(`\`${alert}\``);
  });

  test('P12.6 the scraped instances are those of the compose file', () => {
    const { scrape_configs: jobs } = parse(read('docker/prometheus/prometheus.yaml')) as {
      scrape_configs: { job_name: string; static_configs: { targets: string[] }[] }[];
    };
    const targets = jobs.map((job) => [job.job_name, job.static_configs.flatMap((each) => each.targets)]);
    const services = Object.entries(cluster.services);
    const workers = services.filter(([, { command = [] }]) => command[0] === 'worker');
    expect(workers.length).toBe(1);
    expect(Object.fromEntries(targets)).toEqual({
      weft: services.filter(([name]) => name.startsWith('weft-')).map(([name]) => `${name}:8080`),
      'weft-worker': workers.map(([name, { environment }]) => `${name}:${environment?.WEFT_WORKER_PORT}`),
    });
  });

  test('P12.6 the worker is asked whether it is alive where it listens', async () => {
    const { environment, healthcheck } = cluster.services.worker ?? {};
    const address = `127.0.0.1:${environment?.WEFT_WORKER_PORT}/healthz`;
    const [kind, ...check] = healthcheck?.test ?? [];
    expect(kind).toBe('CMD');
    expect(check.join(' ')).toContain(address);
    // The port itself may be somebody else's here.
    await expectToTell((port) => ({
      command: check.map((word) => word.replace(address, `127.0.0.1:${port}/healthz`)),
    }));
  });
});

/** What the code registers, by the series that Prometheus sees. */
function registeredMetrics(): Map<string, string> {
  const directories = [
    'server/src',
    ...readdirSync(join(ROOT, 'extensions')).map((name) => `extensions/${name}/src`),
  ];
  const files = directories.flatMap((directory) =>
    readdirSync(join(ROOT, directory), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.includes('.test.'))
      .map((file) => join(directory, file)),
  );
  const registered = files.flatMap((file) => [
    ...read(file).matchAll(/\b(counter|gauge|gaugeOf|histogram)\(\s*'(weft_\w+)'/g),
  ]);
  return new Map(
    registered.flatMap(([, kind = '', name = '']) => {
      const parts = kind === 'histogram' ? ['_bucket', '_sum', '_count'] : [];
      return ['', ...parts].map((part) => [`${name}${part}`, kind] as const);
    }),
  );
}
