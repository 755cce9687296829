import { noteLoad, type Scenario, type Stage } from './scenario.ts';
import { startMeter } from './meter.ts';
import { peopleWithin, prepare, UNHURRIED, viewsOf, warmUpRate } from './people.ts';

interface Crowding {
  readonly people: number;
  /** Key presses per person and second: fewer where many write, so that neither side is saturated. */
  readonly rate: number;
  readonly aim: number;
}

const CROWDINGS: readonly Crowding[] = [
  { people: 10, rate: 5, aim: 0.8 },
  { people: 50, rate: 4, aim: 0.5 },
  { people: 100, rate: 1, aim: 0.55 },
];

/** Everybody types in one document, each at a place of their own, and everybody sees everybody's cursor. */
export const hotDocuments: readonly Scenario[] = CROWDINGS.map(({ people, rate, aim }) => ({
  name: `hot-${people}`,
  title: `One document, ${people} people typing (${rate}/s each) with cursors`,
  instances: 1,
  deadline: 120_000,
  figures: [
    {
      key: 'cpu',
      label: 'CPU per delivered update',
      unit: 'µs',
      aim: { of: 'ratio', atMost: aim },
    },
    { key: 'p50', label: 'send to delivery, p50', unit: 'ms' },
    { key: 'p99', label: 'send to delivery, p99', unit: 'ms', aim: { of: 'ratio', atMost: 1 } },
    { key: 'ackP99', label: 'send to acknowledgement, p99', unit: 'ms' },
    { key: 'postgres', label: 'CPU of Postgres per delivered update', unit: 'µs' },
    { key: 'generator', label: "the generator's share of a core", unit: '%' },
  ],
  run: (stage) => run(stage, { people, rate }),
}));

async function run(stage: Stage, { people, rate }: { people: number; rate: number }) {
  const document = 'bench-hot';
  const content = stage.page();
  await prepare(stage, document, content);
  const members = peopleWithin(stage, { document, content, count: people });
  await stage.load.call('join', { members, atOnce: UNHURRIED });
  const [view] = viewsOf(stage, document);
  if (view) await stage.load.call('watch', view);
  const typing = { rate, cursors: true, eraseShare: 0.1, watchers: 1 };
  await stage.load.call('type', {
    ...typing,
    rate: warmUpRate(people),
    seconds: stage.quick ? 1 : 10,
    seed: 1,
  });
  if (!stage.quick) await stage.deployment.settled(document);
  const stop = startMeter(stage);
  const report = await stage.load.call('type', { ...typing, seconds: stage.quick ? 2 : 12, seed: 2 });
  const spent = stop();
  await stage.load.call('verify', { views: viewsOf(stage, document) });
  noteLoad(stage, report.load, report.lagP99);
  return {
    cpu: (spent.serverCpu * 1000) / report.deliveries,
    p50: report.latency.p50,
    p99: report.latency.p99,
    ackP99: report.ack.p99,
    postgres: (spent.postgresCpu * 1000) / report.deliveries,
    generator: report.load.cpu * 100,
  };
}
