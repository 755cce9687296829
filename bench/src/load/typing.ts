import { setTimeout as delay } from 'node:timers/promises';
import { randomInt, seededRandom } from '../random.ts';
import { distribution, type Distribution } from '../statistics.ts';
import { presenceState, type Crowd, type Participant } from './crowd.ts';
import { watchLoad, type GeneratorLoad } from './load-watch.ts';

export interface TypingOptions {
  /** Key presses per second and person; arrivals are random (uniform over the time, so Poisson-like). */
  readonly rate: number;
  readonly seconds: number;
  /** Sends a cursor with each key press, as an editor binding does. */
  readonly cursors: boolean;
  /** Of the key presses, those that erase. */
  readonly eraseShare: number;
  /** Only the first so many type; the others read. All when left out. */
  readonly writers?: number;
  /** Stock providers that watch the one document, to be counted as readers. */
  readonly watchers?: number;
  readonly seed: number;
}

export interface TypingReport {
  readonly sent: number;
  /** Sent updates times the others in their document: what the server had to bring. */
  readonly deliveries: number;
  /** Inserted characters that arrived, counted by their receivers. */
  readonly delivered: number;
  readonly latency: Distribution;
  /** Between people at different instances. */
  readonly remote: Distribution;
  readonly ack: Distribution;
  /** How late the generator sent, against its plan. */
  readonly lagP99: number;
  readonly load: GeneratorLoad;
}

const DRAIN_TIMEOUT_MS = 60_000;
const LETTERS = 'etaoin shrdlu cmfwyp vbgkjq ';

/** People type at a given rate, whether or not the server keeps up; ends when everything has arrived. */
export async function type(crowd: Crowd, options: TypingOptions): Promise<TypingReport> {
  crowd.resetMeasurements();
  const writers = crowd.participants.slice(0, options.writers ?? crowd.participants.length);
  const plan = new ArrivalPlan(writers.length, options);
  const readers = readersPerDocument(crowd);
  const stopWatch = watchLoad();
  const lag: number[] = [];
  const totals = { sent: 0, deliveries: 0, inserted: 0 };
  await plan.run((index, late, random) => {
    const writer = writers[index];
    if (!writer || writer.client.failure) return;
    lag.push(late);
    const others = (readers.get(writer.member.document) ?? 1) - 1;
    const inserted = pressKey(crowd, writer, { random, eraseShare: options.eraseShare });
    if (options.cursors)
      writer.client.sendPresence(presenceState(writer.client.clientId, writer.typist.clock));
    totals.sent += 1;
    totals.deliveries += others + (options.watchers ?? 0);
    if (inserted) totals.inserted += others;
  });
  const load = stopWatch();
  await drained(crowd, totals.inserted);
  crowd.health();
  return {
    sent: totals.sent,
    deliveries: totals.deliveries,
    delivered: crowd.delivered,
    latency: distribution(crowd.deliveryLatencies),
    remote: distribution(crowd.remoteLatencies),
    ack: distribution(crowd.ackLatencies),
    lagP99: distribution(lag).p99,
    load,
  };
}

function pressKey(
  crowd: Crowd,
  writer: Participant,
  { random, eraseShare }: { random: () => number; eraseShare: number },
): boolean {
  if (random() < eraseShare && crowd.press(writer, 'erase') !== undefined) return false;
  crowd.press(writer, { character: LETTERS[randomInt(random, LETTERS.length)] ?? 'e' });
  return true;
}

function readersPerDocument(crowd: Crowd): Map<string, number> {
  const readers = new Map<string, number>();
  for (const { member } of crowd.participants) {
    readers.set(member.document, (readers.get(member.document) ?? 0) + 1);
  }
  return readers;
}

async function drained(crowd: Crowd, inserted: number): Promise<void> {
  const deadline = performance.now() + DRAIN_TIMEOUT_MS;
  for (;;) {
    crowd.health();
    const waiting = crowd.participants.reduce((sum, { client }) => sum + client.unacknowledged, 0);
    if (crowd.delivered >= inserted && waiting === 0) break;
    if (performance.now() > deadline) {
      throw new Error(`${inserted - crowd.delivered} characters did not arrive, ${waiting} acks are missing`);
    }
    await delay(5);
  }
  if (crowd.delivered !== inserted)
    throw new Error(`${crowd.delivered} characters arrived, ${inserted} were sent`);
}

/** Moments of key presses, drawn beforehand, and who presses. */
export class ArrivalPlan {
  private readonly arrivals: { at: number; who: number }[];
  private readonly random: () => number;

  constructor(people: number, { rate, seconds, seed }: { rate: number; seconds: number; seed: number }) {
    this.random = seededRandom(seed);
    this.arrivals = Array.from({ length: Math.round(people * rate * seconds) }, () => ({
      at: this.random() * seconds * 1000,
      who: randomInt(this.random, people),
    })).sort((a, b) => a.at - b.at);
  }

  /** Calls `press(who, lateMs, random)` at each moment; ends early when `stop` says so. */
  async run(
    press: (who: number, late: number, random: () => number) => void,
    stop: () => boolean = () => false,
  ): Promise<void> {
    const startedAt = performance.now();
    for (const { at, who } of this.arrivals) {
      let late = performance.now() - startedAt - at;
      while (late < 0) {
        await delay(Math.max(1, Math.ceil(-late)));
        late = performance.now() - startedAt - at;
      }
      if (stop()) return;
      press(who, late, this.random);
    }
  }
}
