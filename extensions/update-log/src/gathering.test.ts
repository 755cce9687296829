import { expect, test } from 'vitest';
import { Gathering } from './gathering.ts';

function clocked(maxWaitMs = 5) {
  const clock = { now: 1_000 };
  return { clock, gathering: new Gathering({ maxWaitMs, now: () => clock.now }) };
}

/** So many people write evenly, one batch each, for a while. */
function type({ clock, gathering }: ReturnType<typeof clocked>, people: number, perSecond: number) {
  const step = 1_000 / (people * perSecond);
  for (let i = 0; i < 60; i++) {
    clock.now += step;
    gathering.arrived(`person-${i % people}`);
    gathering.begun();
  }
  clock.now += step;
}

test('P12.9 one writer never waits, however fast they write', () => {
  const setting = clocked();
  type(setting, 1, 1_000);
  setting.gathering.arrived('person-0');
  expect(setting.gathering.wait()).toBe(0);
});

test('P12.9 with little going on nobody waits', () => {
  const setting = clocked();
  type(setting, 10, 5);
  setting.gathering.arrived('person-3');
  expect(setting.gathering.wait()).toBe(0);
});

test('P12.9 with much going on a batch waits, until everybody who writes is there', () => {
  const setting = clocked();
  type(setting, 10, 100);
  setting.gathering.arrived('person-3');
  expect(setting.gathering.wait()).toBe(5);
  for (let i = 0; i < 10; i++) setting.gathering.arrived(`person-${i}`);
  expect(setting.gathering.ready).toBe(true);
  expect(setting.gathering.wait()).toBe(0);
});

test('P12.9 what somebody waits for waits for a moment only, and ends the wait of others', () => {
  const setting = clocked(20);
  type(setting, 10, 100);
  setting.gathering.arrived('person-3');
  expect(setting.gathering.wait()).toBe(20);
  expect(setting.gathering.ready).toBe(false);
  setting.gathering.arrived('person-4', true);
  expect(setting.gathering.ready).toBe(true);
  expect(setting.gathering.wait()).toBe(3);
  setting.gathering.arrived('person-5', true);
  expect(setting.gathering.ready).toBe(false);
  setting.gathering.begun();
  setting.gathering.arrived('person-5');
  expect(setting.gathering.wait()).toBe(20);
});

test('P12.9 who has stopped writing is not waited for', () => {
  const setting = clocked();
  type(setting, 10, 100);
  setting.clock.now += 200;
  setting.gathering.arrived('person-3');
  expect(setting.gathering.wait()).toBe(0);
});

test('P12.9 a clock that is set back makes nobody wait longer', () => {
  const setting = clocked();
  type(setting, 10, 100);
  setting.clock.now -= 3_600_000;
  setting.gathering.arrived('person-3');
  expect(setting.gathering.wait()).toBe(0);
});
