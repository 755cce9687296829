import type { PackageSystem, Requirement } from './requirements.ts';

/** What the installer knows about the machine before it acts. */
export interface Machine {
  readonly packageSystem: PackageSystem | undefined;
  /** How a command becomes root's: nothing in front, `sudo -n` in front, or not at all. */
  readonly privilege: 'root' | 'sudo' | 'none';
  /** The system manages services with systemd, so that newly installed ones would start at the next boot. */
  readonly systemd: boolean;
  readonly hasServicePolicy: boolean;
  readonly hasPostgresCommon: boolean;
}

/** One command of the installation. A failed `optional` one does not end it. */
export interface Step {
  readonly says: string;
  readonly command: readonly string[];
  readonly optional?: boolean;
}

const SERVICE_POLICY = '/usr/sbin/policy-rc.d';
const CLUSTER_POLICY = '/etc/postgresql-common/createcluster.conf';
/** Packages without a service that would start by itself. */
const NO_SERVICES = ['chromium', 'openssl'];
const APT_INSTALL = [
  'apt-get',
  'install',
  '--yes',
  '--no-install-recommends',
  '--option',
  'Acquire::Retries=3',
];

function shell(script: string): string[] {
  return ['sh', '-c', script];
}

/**
 * Installs with apt-get without starting anything: the tests run their own servers on free ports, and a
 * database or web server that a test run left behind on a developer's machine would be a bad surprise.
 */
export function aptSteps(missing: readonly Requirement[], machine: Machine): Step[] {
  const packages = missing.map(({ packages }) => packages.apt);
  const services = packages.filter((name) => !NO_SERVICES.includes(name));
  const steps: Step[] = [
    {
      says: 'Refreshing the package lists',
      command: ['apt-get', 'update', '--option', 'Acquire::Retries=3'],
    },
  ];
  if (packages.includes('postgresql') && !machine.hasPostgresCommon) {
    // Debian makes and starts a database cluster with the server package unless this says otherwise first.
    steps.push(
      { says: 'Installing postgresql-common', command: [...APT_INSTALL, 'postgresql-common'] },
      {
        says: 'Telling PostgreSQL to make no database cluster of the system',
        command: shell(`echo 'create_main_cluster = false' >> ${CLUSTER_POLICY}`),
      },
    );
  }
  const install = { says: `Installing ${packages.join(' ')}`, command: [...APT_INSTALL, ...packages] };
  if (machine.hasServicePolicy) return [...steps, install];
  steps.push(
    {
      says: 'Keeping the installed services from starting',
      command: shell(`printf '#!/bin/sh\\nexit 101\\n' > ${SERVICE_POLICY} && chmod 755 ${SERVICE_POLICY}`),
    },
    // One command, so that the policy goes away also when the installation fails.
    {
      ...install,
      command: shell(`${install.command.join(' ')}; result=$?; rm -f ${SERVICE_POLICY}; exit $result`),
    },
  );
  if (machine.systemd && services.length > 0) {
    steps.push({
      says: 'Keeping the installed services from starting at the next boot',
      command: ['systemctl', 'disable', ...services],
      optional: true,
    });
  }
  return steps;
}

/** The command as it has to be run on this machine. */
export function privileged(command: readonly string[], privilege: Machine['privilege']): string[] {
  const quiet = ['env', 'DEBIAN_FRONTEND=noninteractive', ...command];
  return privilege === 'sudo' ? ['sudo', '-n', ...quiet] : quiet;
}

/** What a person has to type where we may not or cannot install. */
export function instructions(missing: readonly Requirement[], system: PackageSystem | undefined): string[] {
  const lines = (of: PackageSystem): string[] => {
    const names = missing.map(({ packages }) => packages[of]);
    if (of === 'apt') return [`sudo apt-get update && sudo apt-get install --yes ${names.join(' ')}`];
    if (of === 'dnf') return [`sudo dnf install --assumeyes ${names.join(' ')}`];
    return names.map((name) => `brew install ${name}`);
  };
  if (system) return lines(system);
  return [
    ...lines('apt').map((line) => `Debian, Ubuntu:  ${line}`),
    ...lines('dnf').map((line) => `Fedora:          ${line}`),
    ...lines('brew').map((line) => `macOS:           ${line}`),
  ];
}
