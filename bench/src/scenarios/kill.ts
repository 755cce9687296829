import { setTimeout as delay } from 'node:timers/promises';
import { peopleAt, UNHURRIED } from './people.ts';
import { instanceOf, type Scenario, type Stage } from './scenario.ts';

const WRITERS = 20;
const KILLS = 3;

export const kill: Scenario = {
  name: 'kill',
  title: `kill -9 while ${WRITERS} people type (5/s each), ${KILLS} times`,
  instances: 1,
  deadline: 180_000,
  figures: [
    {
      key: 'lost',
      label: 'acknowledged updates lost',
      unit: '%',
      aim: { of: 'value', atMost: 0 },
    },
    {
      key: 'lostCount',
      label: 'acknowledged updates lost, of all kills',
      unit: '',
      aim: { of: 'value', atMost: 0 },
    },
    { key: 'acknowledged', label: 'acknowledged updates', unit: '' },
  ],
  run,
};

async function run(stage: Stage) {
  const totals = { lost: 0, acknowledged: 0 };
  for (let round = 0; round < (stage.quick ? 1 : KILLS); round++) {
    const { lost, acknowledged } = await killOnce(stage, `bench-kill-${round}`);
    totals.lost += lost;
    totals.acknowledged += acknowledged;
  }
  if (totals.acknowledged === 0) throw new Error('Nothing was acknowledged before the kills');
  return {
    lost: (totals.lost / totals.acknowledged) * 100,
    lostCount: totals.lost,
    acknowledged: totals.acknowledged,
  };
}

async function killOnce(stage: Stage, document: string): Promise<{ lost: number; acknowledged: number }> {
  const instance = instanceOf(stage, 0);
  await stage.load.call('join', { members: peopleAt(stage, document, WRITERS), atOnce: UNHURRIED });
  const typing = stage.load.call('typeUntilCut', {
    rate: 5,
    seconds: 30,
    seed: Math.floor(stage.random() * 1e9),
  });
  await delay(1_000 + stage.random() * 8_000);
  await instance.process.end('SIGKILL');
  const { acknowledged } = await typing;
  await stage.load.call('leave');
  await stage.deployment.restart(instance);
  const view = { url: instance.url, token: stage.deployment.token('bench-person-0'), document };
  const loaded = new Map((await stage.load.call('load', view)).characters);
  let lost = 0;
  let total = 0;
  for (const [client, characters] of acknowledged) {
    total += characters;
    lost += Math.max(0, characters - (loaded.get(client) ?? 0));
  }
  return { lost, acknowledged: total };
}
