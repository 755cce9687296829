import { expect, test } from 'vitest';
import { aptSteps, instructions, privileged, type Machine } from './plan.ts';
import { REQUIREMENTS } from './requirements.ts';

const container: Machine = {
  packageSystem: 'apt',
  privilege: 'root',
  systemd: false,
  hasServicePolicy: false,
  hasPostgresCommon: false,
};
const only = (name: string) => REQUIREMENTS.filter((requirement) => requirement.name === name);
const commands = (steps: readonly { readonly command: readonly string[] }[]) =>
  steps.map(({ command }) => command.join(' '));

test('P10.11 what is missing is installed once, without prompts, and nothing else is', () => {
  const [update, install] = commands(aptSteps(only('Chromium'), { ...container, hasServicePolicy: true }));
  expect(update).toMatch(/^apt-get update/);
  expect(install).toMatch(/ chromium$/);
  expect(privileged(['apt-get', 'update'], 'root')).toEqual([
    'env',
    'DEBIAN_FRONTEND=noninteractive',
    'apt-get',
    'update',
  ]);
  expect(privileged(['true'], 'sudo').slice(0, 2)).toEqual(['sudo', '-n']);
});

test('P10.11 no installed service starts, now or at the next boot, and no database cluster is made', () => {
  const steps = commands(aptSteps(REQUIREMENTS, { ...container, systemd: true }));
  const position = (what: RegExp) => steps.findIndex((step) => what.test(step));
  expect(position(/create_main_cluster = false/)).toBeGreaterThan(position(/install.* postgresql-common$/));
  expect(position(/create_main_cluster = false/)).toBeLessThan(position(/ postgresql /));
  expect(position(/exit 101/)).toBeLessThan(position(/ postgresql /));
  expect(steps[position(/ postgresql /)]).toMatch(/rm -f \/usr\/sbin\/policy-rc\.d/);
  expect(steps.at(-1)).toBe('systemctl disable redis-server postgresql nginx');
});

test('P10.11 a service policy and a Postgres configuration that are there already stay as they are', () => {
  const machine = { ...container, hasServicePolicy: true, hasPostgresCommon: true };
  expect(commands(aptSteps(only('PostgreSQL server'), machine)).join('\n')).not.toMatch(
    /policy-rc|create_main/,
  );
});

test('P10.11 where it may not install it says exactly what to type', () => {
  expect(instructions(only('PostgreSQL server'), 'brew')).toEqual(['brew install postgresql@17']);
  expect(instructions(REQUIREMENTS, 'dnf')).toEqual([
    'sudo dnf install --assumeyes redis postgresql-server chromium nginx openssl',
  ]);
  expect(instructions(REQUIREMENTS, 'apt').join()).toMatch(
    /apt-get install --yes redis-server postgresql chromium nginx openssl/,
  );
  expect(instructions(REQUIREMENTS, undefined).length).toBe(7);
});
