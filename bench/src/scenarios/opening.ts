import { median } from '../statistics.ts';
import { residentBytes } from '../system.ts';
import { startMeter } from './meter.ts';
import { peopleAt, prepare } from './people.ts';
import { instanceOf, type DocumentFile, type Scenario, type Stage } from './scenario.ts';

const DOCUMENT = 'bench-large';

export const coldOpen: Scenario = {
  ...opening({ ratio: 1, cpu: 'CPU of server and Postgres' }),
  name: 'cold-open',
  title: 'Opening a large document just after the server has started',
  run: runCold,
};

export const warmOpen: Scenario = {
  ...opening({ ratio: 0.2, cpu: 'CPU of the server' }),
  name: 'warm-open',
  title: 'Opening a large document that others have open',
  run: runWarm,
};

/** One person opens the document. `ratio`: of the time to that of stock, at most; `cpu`: what the CPU time is of. */
function opening({ ratio, cpu }: { ratio: number; cpu: string }) {
  return {
    instances: 1,
    deadline: 180_000,
    figures: [
      { key: 'ms', label: 'connect to complete document', unit: 'ms', aim: { of: 'ratio', atMost: ratio } },
      { key: 'cpu', label: cpu, unit: 'ms' },
    ],
  } satisfies Partial<Scenario>;
}

export const joinStorm: Scenario = {
  name: 'join-50',
  title: 'Fifty people opening a large document at once, while others have it open',
  instances: 1,
  deadline: 180_000,
  figures: [
    { key: 'cpu', label: 'CPU of the server', unit: 'ms', aim: { of: 'ratio', atMost: 0.15 } },
    { key: 'p50', label: 'connect to complete document, p50', unit: 'ms' },
    { key: 'p99', label: 'connect to complete document, p99', unit: 'ms', aim: { of: 'ratio', atMost: 1 } },
  ],
  run: (stage) => runStorm(stage, { people: 50, large: stage.largeDocument() }),
};

export const clusterJoinStorm: Scenario = {
  ...joinStorm,
  name: 'cluster-join-50',
  title: 'Fifty people opening a large document at once on two instances, while others have it open',
  instances: 2,
};

export const hugeJoinStorm: Scenario = {
  name: 'join-150-huge',
  title: '150 people opening a document of 20 MB at once, while others have it open',
  instances: 1,
  deadline: 240_000,
  figures: [
    {
      key: 'p99',
      label: 'connect to complete document, p99',
      unit: 'ms',
      aim: { of: 'value', atMost: 5_000 },
    },
    { key: 'p50', label: 'connect to complete document, p50', unit: 'ms' },
    { key: 'cpu', label: 'CPU of the server', unit: 'ms' },
    { key: 'resident', label: 'resident memory of the server afterwards', unit: 'MB' },
  ],
  run: (stage) => runStorm(stage, { people: stage.quick ? 15 : 150, large: stage.hugeDocument() }),
};

async function runCold(stage: Stage) {
  await prepare(stage, DOCUMENT, stage.largeDocument());
  await stage.deployment.settled(DOCUMENT);
  const instance = instanceOf(stage, 0);
  await instance.process.end('SIGTERM');
  await stage.deployment.restart(instance);
  const stop = startMeter(stage);
  const joined = await stage.load.call('join', { members: peopleAt(stage, DOCUMENT, 2), atOnce: 1 });
  const spent = stop();
  await stage.load.call('verifyStates', { document: DOCUMENT });
  return { ms: joined.ms.max, cpu: spent.serverCpu + spent.postgresCpu };
}

async function runWarm(stage: Stage) {
  await prepare(stage, DOCUMENT, stage.largeDocument());
  await keepOpen(stage);
  const times: number[] = [];
  const rounds = stage.quick ? 3 : 20;
  const stop = startMeter(stage);
  for (let round = 0; round < rounds; round++) {
    const joined = await stage.load.call('join', { members: peopleAt(stage, DOCUMENT, 1), atOnce: 1 });
    times.push(joined.ms.p50);
  }
  const spent = stop();
  await stage.load.call('verifyStates', { document: DOCUMENT });
  return { ms: median(times), cpu: spent.serverCpu / rounds };
}

async function runStorm(stage: Stage, { people, large }: { people: number; large: DocumentFile }) {
  await prepare(stage, DOCUMENT, large);
  await keepOpen(stage);
  const stop = startMeter(stage);
  const members = peopleAt(stage, DOCUMENT, people);
  const joined = await stage.load.call('join', { members, atOnce: people });
  const spent = stop();
  const resident = residentBytes(instanceOf(stage, 0).process.pid) / 1e6;
  await stage.load.call('verifyStates', { document: DOCUMENT });
  if (joined.bytes.min !== joined.bytes.max) stage.note('the states sent differed in size');
  return { cpu: spent.serverCpu, p50: joined.ms.p50, p99: joined.ms.p99, resident };
}

/** Two people on each instance; and what runs for the first time has run. */
async function keepOpen(stage: Stage): Promise<void> {
  const people = 2 * stage.deployment.instances.length;
  await stage.load.call('join', { members: peopleAt(stage, DOCUMENT, people), atOnce: 1 });
}
