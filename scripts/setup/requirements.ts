import { findChromium, findPostgresPrograms, findProgram } from '../../e2e/harness/src/programs.ts';

export type PackageSystem = 'apt' | 'dnf' | 'brew';

/** A program that the tests start, and what it is called by each package system. */
export interface Requirement {
  readonly name: string;
  readonly purpose: string;
  readonly packages: Readonly<Record<PackageSystem, string>>;
  /** Its path, or nothing when the system does not have it. */
  find(): string | undefined;
}

export const REQUIREMENTS: readonly Requirement[] = [
  {
    name: 'Redis server',
    purpose: 'tests with several instances',
    packages: { apt: 'redis-server', dnf: 'redis', brew: 'redis' },
    find: () => findProgram('redis-server', 'valkey-server'),
  },
  {
    name: 'PostgreSQL server',
    purpose: 'tests of the log and of permissions',
    packages: { apt: 'postgresql', dnf: 'postgresql-server', brew: 'postgresql@17' },
    find: findPostgresPrograms,
  },
  {
    name: 'Chromium',
    purpose: 'browser tests',
    packages: { apt: 'chromium', dnf: 'chromium', brew: '--cask chromium' },
    find: findChromium,
  },
  {
    name: 'nginx',
    purpose: 'the load balancer of a local cluster',
    packages: { apt: 'nginx', dnf: 'nginx', brew: 'nginx' },
    find: () => findProgram('nginx'),
  },
  {
    name: 'OpenSSL',
    purpose: 'a certificate for tests of an encrypted link to Redis',
    packages: { apt: 'openssl', dnf: 'openssl', brew: 'openssl' },
    find: () => findProgram('openssl'),
  },
];
