import type { TypingOptions } from '../load/typing.ts';
import { startMeter, startRedisMeter } from './meter.ts';
import { peopleAt, peopleWithin, prepare, UNHURRIED, viewsOf, warmUpRate } from './people.ts';
import { noteLoad, type Figure, type Readings, type Scenario, type Stage } from './scenario.ts';

interface Workload {
  readonly name: string;
  readonly title: string;
  readonly people: number;
  readonly rate: number;
  /** Before the measured window; the large document is more than stock could take at a higher rate. */
  readonly warmUp: number;
  readonly cursors: boolean;
  readonly large: boolean;
  readonly aims: {
    readonly cpu?: number;
    readonly p50?: number;
    readonly bytes?: number;
    readonly published?: number;
  };
}

const WORKLOADS: readonly Workload[] = [
  {
    name: 'cluster-small',
    title: 'Two instances, a small document, one person typing on each (10/s)',
    people: 2,
    rate: 10,
    warmUp: warmUpRate(2),
    cursors: false,
    large: false,
    aims: { cpu: 0.5, published: 1 },
  },
  {
    name: 'cluster-10',
    title: 'Two instances, a small document, five people typing on each (5/s) with cursors',
    people: 10,
    rate: 5,
    warmUp: warmUpRate(10),
    cursors: true,
    large: false,
    aims: {},
  },
  {
    name: 'cluster-large',
    title: 'Two instances, a large document, one person typing on each (3/s)',
    people: 2,
    rate: 3,
    warmUp: 10,
    cursors: false,
    large: true,
    aims: { cpu: 0.07, p50: 0.15, bytes: 0.003 },
  },
];

/** What one person writes on one instance, the others see on the other. */
export const clusterTyping: readonly Scenario[] = WORKLOADS.map((workload) => ({
  name: workload.name,
  title: workload.title,
  instances: 2,
  deadline: 180_000,
  figures: figures(workload.aims),
  run: (stage) => run(stage, workload),
}));

function figures(aims: Workload['aims']): readonly Figure[] {
  const ratio = (atMost: number | undefined) =>
    atMost === undefined ? {} : { aim: { of: 'ratio' as const, atMost } };
  const value = (atMost: number | undefined) =>
    atMost === undefined ? {} : { aim: { of: 'value' as const, atMost } };
  return [
    { key: 'cpu', label: 'CPU of both instances per update', unit: 'µs', ...ratio(aims.cpu) },
    { key: 'p50', label: 'send to delivery on the other instance, p50', unit: 'ms', ...ratio(aims.p50) },
    { key: 'p99', label: 'send to delivery on the other instance, p99', unit: 'ms' },
    { key: 'published', label: 'Redis messages published per update', unit: '', ...value(aims.published) },
    { key: 'commands', label: 'Redis commands per update', unit: '' },
    { key: 'bytes', label: 'Redis traffic per update', unit: 'B', ...ratio(aims.bytes) },
    { key: 'postgres', label: 'CPU of Postgres per update', unit: 'µs' },
    { key: 'redis', label: 'CPU of Redis per update', unit: 'µs' },
  ];
}

async function run(stage: Stage, { people, rate, warmUp, cursors, large }: Workload): Promise<Readings> {
  const document = 'bench-cluster';
  if (large) await prepare(stage, document, stage.largeDocument());
  const members = large
    ? peopleWithin(stage, { document, content: stage.largeDocument(), count: people })
    : peopleAt(stage, document, people);
  await stage.load.call('join', { members, atOnce: UNHURRIED });
  const typing = { rate, cursors, eraseShare: 0.1 } satisfies Partial<TypingOptions>;
  await stage.load.call('type', { ...typing, rate: warmUp, seconds: stage.quick ? 1 : 8, seed: 1 });
  if (!stage.quick) await stage.deployment.settled(document);
  const redis = await startRedisMeter(stage);
  const stop = startMeter(stage);
  const report = await stage.load.call('type', { ...typing, seconds: stage.quick ? 2 : 15, seed: 2 });
  const spent = stop();
  const traffic = await redis();
  await stage.load.call('verify', { views: viewsOf(stage, document) });
  noteLoad(stage, report.load, report.lagP99);
  return {
    cpu: (spent.serverCpu * 1000) / report.sent,
    p50: report.remote.p50,
    p99: report.remote.p99,
    published: traffic.published / report.sent,
    commands: traffic.commands / report.sent,
    bytes: traffic.bytes / report.sent,
    postgres: (spent.postgresCpu * 1000) / report.sent,
    redis: (spent.redisCpu * 1000) / report.sent,
  };
}
