import type { Crowd } from './crowd.ts';
import { ArrivalPlan } from './typing.ts';

export interface CutReport {
  readonly sent: number;
  /** Per author the characters whose updates were acknowledged before the cut. */
  readonly acknowledged: readonly (readonly [client: number, characters: number])[];
}

/** People type until the server is gone; then says what it had promised to keep. */
export async function typeUntilCut(
  crowd: Crowd,
  options: { rate: number; seconds: number; seed: number },
): Promise<CutReport> {
  const plan = new ArrivalPlan(crowd.participants.length, options);
  const gone = () => crowd.participants.every(({ client }) => client.failure !== undefined);
  let sent = 0;
  await plan.run((who) => {
    const writer = crowd.participants[who];
    if (!writer || writer.client.failure) return;
    crowd.press(writer, { character: 'k' });
    sent += 1;
  }, gone);
  if (!gone()) throw new Error('The server was not cut off while people typed');
  return {
    sent,
    acknowledged: crowd.participants.map(({ client, acknowledged }) => [client.clientId, acknowledged]),
  };
}
