import * as decoding from 'lib0/decoding';
import { setTimeout as delay } from 'node:timers/promises';
import { distribution, type Distribution } from '../statistics.ts';
import { presenceState, type Crowd, type Participant } from './crowd.ts';
import { watchLoad, type GeneratorLoad } from './load-watch.ts';
import { ArrivalPlan } from './typing.ts';

export interface PresenceReport {
  readonly sent: number;
  /** Frames that arrived at all members together. */
  readonly frames: number;
  /** Of the last states sent, the share that the sampled members have seen at the end. */
  readonly seen: number;
  /** Milliseconds from moving a cursor to the sampled members' seeing that state. */
  readonly age: Distribution;
  readonly load: GeneratorLoad;
}

const SAMPLED_MEMBERS = 5;

/** Everybody moves their cursor at the given rate, nobody writes. Only a few members decode what they get. */
export async function movePresence(
  crowd: Crowd,
  options: { rate: number; seconds: number; seed: number; drainSeconds: number },
): Promise<PresenceReport> {
  const step = Math.ceil(crowd.participants.length / SAMPLED_MEMBERS);
  const sampled = new Map(
    crowd.participants
      .filter((_, index) => index % step === 0)
      .map((one) => [one, new Map<number, number>()]),
  );
  const movedAt = new Map<string, number>();
  const positions = new Map<number, number>();
  const ages: number[] = [];
  crowd.onPresence = (receiver, update, at) => {
    const seen = sampled.get(receiver);
    if (!seen) return;
    for (const [client, position] of readCursors(update)) {
      const moved = movedAt.get(`${client}:${position}`);
      if (moved === undefined || (seen.get(client) ?? 0) >= position) continue;
      seen.set(client, position);
      if (client !== receiver.client.clientId) ages.push(at - moved);
    }
  };
  const framesBefore = countFrames(crowd.participants);
  const plan = new ArrivalPlan(crowd.participants.length, options);
  const stopWatch = watchLoad();
  let sent = 0;
  await plan.run((who) => {
    const person = crowd.participants[who];
    if (!person || person.client.failure) return;
    const { clientId } = person.client;
    const position = (positions.get(clientId) ?? 0) + 1;
    positions.set(clientId, position);
    movedAt.set(`${clientId}:${position}`, performance.now());
    person.client.sendPresence(presenceState(clientId, position));
    sent += 1;
  });
  const load = stopWatch();
  const share = () => shareSeen([...sampled], positions);
  const deadline = performance.now() + options.drainSeconds * 1000;
  while (share() < 1 && performance.now() < deadline) await delay(20);
  crowd.onPresence = undefined;
  crowd.health();
  return {
    sent,
    frames: countFrames(crowd.participants) - framesBefore,
    seen: share(),
    age: distribution(ages),
    load,
  };
}

function countFrames(participants: readonly Participant[]): number {
  return participants.reduce((sum, { client }) => sum + client.presenceFrames, 0);
}

function shareSeen(
  sampled: readonly (readonly [Participant, Map<number, number>])[],
  positions: ReadonlyMap<number, number>,
): number {
  let expected = 0;
  let seen = 0;
  for (const [receiver, latest] of sampled) {
    for (const [client, position] of positions) {
      if (client === receiver.client.clientId) continue;
      expected += 1;
      if (latest.get(client) === position) seen += 1;
    }
  }
  return expected === 0 ? Number.NaN : seen / expected;
}

/** The cursor's position is the clock that {@link presenceState} put into it. */
function* readCursors(update: Uint8Array): Generator<readonly [client: number, position: number]> {
  const decoder = decoding.createDecoder(update);
  for (let left = decoding.readVarUint(decoder); left > 0; left--) {
    const client = decoding.readVarUint(decoder);
    decoding.readVarUint(decoder);
    const position = /"clock":(\d+)/.exec(decoding.readVarString(decoder))?.[1];
    if (position !== undefined) yield [client, Number(position)];
  }
}
