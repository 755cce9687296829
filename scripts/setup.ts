/**
 * Checks that the programs which the tests start are here, and installs what is missing where it may: on
 * Debian and its relatives as root or with sudo that asks for no password. Elsewhere it says what to type.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { findProgram } from '../e2e/harness/src/programs.ts';
import { aptSteps, instructions, privileged, type Machine, type Step } from './setup/plan.ts';
import { REQUIREMENTS, type PackageSystem, type Requirement } from './setup/requirements.ts';

const INSTALL_TIMEOUT_MS = 15 * 60_000;

function packageSystem(): PackageSystem | undefined {
  if (process.platform === 'darwin') return 'brew';
  if (findProgram('apt-get')) return 'apt';
  return findProgram('dnf') ? 'dnf' : undefined;
}

function privilege(): Machine['privilege'] {
  if (process.getuid?.() === 0) return 'root';
  const sudo = findProgram('sudo');
  return sudo && spawnSync(sudo, ['-n', 'true'], { stdio: 'ignore' }).status === 0 ? 'sudo' : 'none';
}

function inspectMachine(): Machine {
  return {
    packageSystem: packageSystem(),
    privilege: privilege(),
    systemd: existsSync('/run/systemd/system'),
    hasServicePolicy: existsSync('/usr/sbin/policy-rc.d'),
    hasPostgresCommon: existsSync('/etc/postgresql-common/createcluster.conf'),
  };
}

function absent(): Requirement[] {
  return REQUIREMENTS.filter((requirement) => !requirement.find());
}

function carryOut(step: Step, machine: Machine): boolean {
  console.log(`setup: ${step.says}`);
  const [command = '', ...args] = privileged(step.command, machine.privilege);
  const { status, error } = spawnSync(command, args, {
    stdio: ['ignore', 'inherit', 'inherit'],
    timeout: INSTALL_TIMEOUT_MS,
  });
  if (status === 0 || step.optional) return true;
  console.error(`setup: that failed (${error?.message ?? `exit code ${status}`}): ${step.command.join(' ')}`);
  return false;
}

function fail(missing: readonly Requirement[], machine: Machine): never {
  console.error('setup: missing on this machine:');
  for (const { name, purpose } of missing) console.error(`  ${name}, for ${purpose}`);
  console.error('Install it with:');
  for (const line of instructions(missing, machine.packageSystem)) console.error(`  ${line}`);
  process.exit(1);
}

function main(): void {
  const missing = absent();
  if (missing.length === 0) return console.log('setup: everything that the tests need is here');
  const machine = inspectMachine();
  if (machine.packageSystem !== 'apt' || machine.privilege === 'none') fail(missing, machine);
  console.log(`setup: not here yet: ${missing.map(({ name }) => name).join(', ')}`);
  for (const step of aptSteps(missing, machine)) {
    if (!carryOut(step, machine)) fail(missing, machine);
  }
  const still = absent();
  if (still.length > 0) fail(still, machine);
  console.log('setup: done');
}

main();
