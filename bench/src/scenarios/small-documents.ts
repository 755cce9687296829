import { setTimeout as delay } from 'node:timers/promises';
import { startMeter } from './meter.ts';
import { peopleAt, UNHURRIED, viewsOf } from './people.ts';
import { noteLoad, type Scenario, type Stage } from './scenario.ts';

const DOCUMENTS = 200;
/** Stock stores a document 2 s after its last change; its stores must fall into the measured time too. */
const SETTLE_MS = 3_000;

export const smallDocuments: Scenario = {
  name: 'small-documents',
  title: `${DOCUMENTS} small documents, two people typing (1/s each) in each`,
  instances: 1,
  deadline: 180_000,
  figures: [
    {
      key: 'cpu',
      label: 'CPU of server and Postgres per update',
      unit: 'µs',
      aim: { of: 'ratio', atMost: 1 },
    },
    { key: 'server', label: 'CPU of the server per update', unit: 'µs' },
    { key: 'postgres', label: 'CPU of Postgres per update', unit: 'µs' },
    { key: 'p99', label: 'send to delivery, p99', unit: 'ms' },
    { key: 'ackP99', label: 'send to acknowledgement, p99', unit: 'ms' },
  ],
  run,
};

async function run(stage: Stage) {
  const names = Array.from({ length: stage.quick ? 20 : DOCUMENTS }, (_, index) => `bench-small-${index}`);
  const members = names.flatMap((name) => peopleAt(stage, name, 2));
  await stage.load.call('join', { members, atOnce: UNHURRIED });
  const typing = { rate: 1, cursors: true, eraseShare: 0.1 };
  await stage.load.call('type', { ...typing, seconds: stage.quick ? 1 : 5, seed: 1 });
  const stop = startMeter(stage);
  const report = await stage.load.call('type', { ...typing, seconds: stage.quick ? 3 : 20, seed: 2 });
  await delay(SETTLE_MS);
  const spent = stop();
  const sample = names.filter((_, index) => index % 40 === 0);
  await stage.load.call('verify', { views: sample.flatMap((name) => viewsOf(stage, name)) });
  noteLoad(stage, report.load, report.lagP99);
  return {
    cpu: ((spent.serverCpu + spent.postgresCpu) * 1000) / report.sent,
    server: (spent.serverCpu * 1000) / report.sent,
    postgres: (spent.postgresCpu * 1000) / report.sent,
    p99: report.latency.p99,
    ackP99: report.ack.p99,
  };
}
