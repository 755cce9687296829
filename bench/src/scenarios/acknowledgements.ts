import { startMeter } from './meter.ts';
import { peopleWithin, prepare, UNHURRIED, viewsOf } from './people.ts';
import type { Member } from '../load/crowd.ts';
import { noteLoad, type Scenario, type Stage } from './scenario.ts';

interface Writers {
  readonly writers: number;
  readonly documents: number;
  readonly aim?: number;
}

const VARIANTS: readonly Writers[] = [
  { writers: 1, documents: 1, aim: 0.4 },
  { writers: 10, documents: 1, aim: 1 },
  { writers: 100, documents: 1, aim: 2 },
  { writers: 100, documents: 100 },
];

/** Each writer sends an update when the one before is acknowledged. Stock's are acknowledged from memory. */
export const acknowledgements: readonly Scenario[] = VARIANTS.map(({ writers, documents, aim }) => ({
  name: documents === 1 ? `acks-${writers}` : `acks-${writers}-apart`,
  title: `${writers} writer${writers === 1 ? '' : 's'} in ${documents === 1 ? 'one document' : `${documents} documents`}, each waiting for its acknowledgement`,
  instances: 1,
  deadline: 120_000,
  figures: [
    {
      key: 'perSecond',
      label: 'acknowledged updates per second',
      unit: '/s',
      ...(aim === undefined ? {} : { aim: { of: 'ratio' as const, atLeast: aim } }),
    },
    { key: 'p50', label: 'send to acknowledgement, p50', unit: 'ms' },
    { key: 'p99', label: 'send to acknowledgement, p99', unit: 'ms' },
    { key: 'cpu', label: 'CPU of server and Postgres per update', unit: 'µs' },
    { key: 'generator', label: "the generator's share of a core", unit: '%' },
  ],
  run: (stage) => run(stage, { writers, documents }),
}));

async function run(stage: Stage, { writers, documents }: { writers: number; documents: number }) {
  const names = Array.from({ length: documents }, (_, index) => `bench-acks-${index}`);
  const content = stage.page();
  const members: Member[] = [];
  for (const document of names) {
    await prepare(stage, document, content);
    members.push(...peopleWithin(stage, { document, content, count: writers / documents }));
  }
  await stage.load.call('join', { members, atOnce: UNHURRIED });
  await stage.load.call('writeClosedLoop', { seconds: stage.quick ? 1 : 5 });
  const stop = startMeter(stage);
  const report = await stage.load.call('writeClosedLoop', { seconds: stage.quick ? 1 : 6 });
  const spent = stop();
  await stage.load.call('verify', { views: names.slice(0, 3).flatMap((name) => viewsOf(stage, name)) });
  noteLoad(stage, report.load);
  return {
    perSecond: report.perSecond,
    p50: report.ack.p50,
    p99: report.ack.p99,
    cpu: ((spent.serverCpu + spent.postgresCpu) * 1000) / report.acknowledged,
    generator: report.load.cpu * 100,
  };
}
