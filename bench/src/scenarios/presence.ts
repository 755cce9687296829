import { startMeter, startRedisMeter } from './meter.ts';
import { peopleAt, UNHURRIED } from './people.ts';
import { noteLoad, type Readings, type Scenario, type Stage } from './scenario.ts';

const PEOPLE = 500;

/** Everybody in one document moves their cursor once a second, nobody writes. */
export const presence: readonly Scenario[] = [1, 2].map((instances) => ({
  name: instances === 1 ? 'presence' : 'cluster-presence',
  title: `${PEOPLE} people moving their cursors (1/s each) in one document${instances === 1 ? '' : ', two instances'}`,
  instances,
  deadline: 180_000,
  figures: [
    {
      key: 'cpu',
      label: 'CPU of all instances, share of a core',
      unit: '%',
      aim: { of: 'value', atMost: 25 },
    },
    { key: 'busiest', label: 'of the busiest instance', unit: '%' },
    { key: 'ageP50', label: 'cursor moved to seen by others, p50', unit: 'ms' },
    { key: 'ageP99', label: 'cursor moved to seen by others, p99', unit: 'ms' },
    { key: 'seen', label: 'last positions seen by the sampled at the end', unit: '%' },
    { key: 'frames', label: 'frames received per person and second', unit: '' },
    ...(instances === 1
      ? []
      : [{ key: 'published', label: 'Redis messages published per second', unit: '/s' }]),
    { key: 'generator', label: "the generator's share of a core", unit: '%' },
  ],
  run,
}));

async function run(stage: Stage): Promise<Readings> {
  const people = stage.quick ? 50 : PEOPLE;
  await stage.load.call('join', { members: peopleAt(stage, 'bench-presence', people), atOnce: UNHURRIED });
  const moving = { rate: 1, drainSeconds: 20 };
  await stage.load.call('movePresence', { ...moving, seconds: stage.quick ? 1 : 3, seed: 1 });
  const redis = await startRedisMeter(stage);
  const stop = startMeter(stage);
  const seconds = stage.quick ? 2 : 10;
  const report = await stage.load.call('movePresence', { ...moving, seconds, seed: 2 });
  const spent = stop();
  const traffic = await redis();
  noteLoad(stage, report.load);
  // Late work counts: what a saturated server still has to do after the last move is done in these seconds.
  return {
    cpu: (spent.serverCpu / 1000 / seconds) * 100,
    busiest: (spent.busiestCpu / 1000 / seconds) * 100,
    ageP50: report.age.p50,
    ageP99: report.age.p99,
    seen: report.seen * 100,
    frames: report.frames / people / seconds,
    published: traffic.published / seconds,
    generator: report.load.cpu * 100,
  };
}
