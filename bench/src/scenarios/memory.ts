import { setTimeout as delay } from 'node:timers/promises';
import { residentBytes } from '../system.ts';
import { collectGarbage } from '../targets/launch.ts';
import { peopleAt, UNHURRIED } from './people.ts';
import { instanceOf, type Scenario, type Stage } from './scenario.ts';

const DOCUMENTS = 100;
const CONNECTIONS = 2_000;

export const memory: Scenario = {
  name: 'memory',
  title: `${CONNECTIONS} idle connections over ${DOCUMENTS} documents`,
  instances: 1,
  inspectMemory: true,
  deadline: 120_000,
  figures: [
    {
      key: 'heap',
      label: 'heap and buffers per connection, after a collection',
      unit: 'kB',
      aim: { of: 'ratio', atMost: 0.6 },
    },
    {
      key: 'resident',
      label: 'resident memory per connection',
      unit: 'kB',
      aim: { of: 'ratio', atMost: 0.6 },
    },
  ],
  run,
};

async function run(stage: Stage) {
  const names = Array.from({ length: DOCUMENTS }, (_, index) => `bench-idle-${index}`);
  const each = (stage.quick ? 400 : CONNECTIONS) / DOCUMENTS;
  // One in each first, so that only connections are counted and not their documents.
  await stage.load.call('join', {
    members: names.flatMap((name) => peopleAt(stage, name, 1)),
    atOnce: UNHURRIED,
  });
  const before = await read(stage);
  const members = names.flatMap((name) => peopleAt(stage, name, each));
  await stage.load.call('join', { members, atOnce: UNHURRIED });
  const after = await read(stage);
  return {
    heap: (after.heap - before.heap) / members.length / 1000,
    resident: (after.resident - before.resident) / members.length / 1000,
  };
}

async function read(stage: Stage): Promise<{ heap: number; resident: number }> {
  const { process } = instanceOf(stage, 0);
  // Let what joining started come to rest, and what the first collection released be given back.
  await delay(1_000);
  await collectGarbage(process);
  await delay(1_000);
  const { heapUsed, external } = await collectGarbage(process);
  return { heap: heapUsed + external, resident: residentBytes(process.pid) };
}
