import { setTimeout as delay } from 'node:timers/promises';
import { distribution, type Distribution } from '../statistics.ts';
import type { Crowd } from './crowd.ts';
import { watchLoad, type GeneratorLoad } from './load-watch.ts';

export interface ClosedLoopReport {
  readonly acknowledged: number;
  readonly perSecond: number;
  readonly ack: Distribution;
  readonly load: GeneratorLoad;
}

/** Every member sends its next update when the one before is acknowledged, for so many seconds. */
export async function writeClosedLoop(
  crowd: Crowd,
  { seconds }: { seconds: number },
): Promise<ClosedLoopReport> {
  crowd.resetMeasurements();
  const stopWatch = watchLoad();
  const startedAt = performance.now();
  const endsAt = startedAt + seconds * 1000;
  let acknowledged = 0;
  let waiting = crowd.participants.length;
  crowd.onAcknowledged = (participant) => {
    const now = performance.now();
    if (now <= endsAt) acknowledged += 1;
    if (now < endsAt) crowd.press(participant, { character: 'x' });
    else waiting -= 1;
  };
  for (const participant of crowd.participants) crowd.press(participant, { character: 'x' });
  while (performance.now() < endsAt) {
    await delay(20);
    crowd.health();
  }
  const load = stopWatch();
  while (waiting > 0) {
    if (performance.now() > endsAt + 30_000) throw new Error(`${waiting} acknowledgements never came`);
    await delay(20);
    crowd.health();
  }
  crowd.onAcknowledged = undefined;
  return { acknowledged, perSecond: acknowledged / seconds, ack: distribution(crowd.ackLatencies), load };
}
