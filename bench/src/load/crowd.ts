import { readFileSync } from 'node:fs';
import * as Y from 'yjs';
import { distribution, type Distribution } from '../statistics.ts';
import { LightClient, type SentUpdate } from './client.ts';
import { SharedRanges } from './ranges.ts';
import { TEXT, Typist, type ItemId, type Place } from './typist.ts';

/** One person at one document of one instance. */
export interface Member {
  readonly url: string;
  readonly token: string;
  readonly document: string;
  /** Where they write; the start of the text when left out. */
  readonly place?: Place;
}

export interface JoinReport {
  /** Milliseconds from the call to a complete document. */
  readonly ms: Distribution;
  readonly bytes: { readonly min: number; readonly max: number };
  /** From the first call to the last complete document. */
  readonly wallMs: number;
}

export interface Participant {
  readonly client: LightClient;
  readonly typist: Typist;
  readonly member: Member;
  /** `performance.now()` of each character that was sent, by clock. */
  readonly sentAt: number[];
  /** Characters whose update was acknowledged. */
  acknowledged: number;
}

/** How many of a storm keep what they were sent, to be compared with the truth. */
const SAMPLES = 3;
/** A client id of five bytes on the wire, as random ones have. Above those of the prepared documents. */
const FIRST_CLIENT_ID = 0x40000000;
const OPEN_TIMEOUT_MS = 150_000;

/** The people of one scenario, in the load generator's process. */
export class Crowd {
  readonly participants: Participant[] = [];
  /** Every update sent to a document, to say what its text must be. */
  readonly sent = new Map<string, Uint8Array[]>();
  readonly seeds = new Map<string, Uint8Array>();
  deliveryLatencies: number[] = [];
  /** Of the above those between people at different instances. */
  remoteLatencies: number[] = [];
  ackLatencies: number[] = [];
  delivered = 0;
  onAcknowledged: ((participant: Participant) => void) | undefined;
  onPresence: ((participant: Participant, update: Uint8Array, at: number) => void) | undefined;
  private readonly authors = new Map<number, Participant>();
  private readonly ranges = new Map<string, SharedRanges>();

  /** Says what a document has held since before the first member came. */
  seed({ document, file }: { document: string; file: string }): void {
    this.seeds.set(document, readFileSync(file));
  }

  /** @param atOnce how many may be opening at a time */
  async join({ members, atOnce }: { members: readonly Member[]; atOnce: number }): Promise<JoinReport> {
    const startedAt = performance.now();
    const opened: { ms: number; bytes: number }[] = [];
    const queue = members.map((member, index) => ({
      member,
      keepState: index % Math.ceil(members.length / SAMPLES) === 0,
    }));
    const lane = async () => {
      for (let next = queue.shift(); next; next = queue.shift()) {
        const participant = this.participant(next.member, next.keepState && members.length > 1);
        opened.push(await withTimeout(participant.client.open(), `opening ${next.member.document}`));
      }
    };
    await Promise.all(Array.from({ length: Math.min(atOnce, members.length) }, lane));
    const bytes = opened.map((one) => one.bytes);
    return {
      ms: distribution(opened.map((one) => one.ms)),
      bytes: { min: Math.min(...bytes), max: Math.max(...bytes) },
      wallMs: performance.now() - startedAt,
    };
  }

  async leave(): Promise<void> {
    const leaving = this.participants.splice(0);
    this.authors.clear();
    await Promise.all(leaving.map(({ client }) => client.close()));
  }

  /** Throws when a session ended, was refused something, or saw characters out of order. */
  health(): void {
    for (const { client } of this.participants) {
      if (client.failure) throw new Error(`A session failed: ${client.failure}`);
      if (client.refused > 0) throw new Error(`${client.refused} updates were refused`);
      if (client.holes > 0) throw new Error(`Characters arrived without those before them`);
    }
  }

  /** The text that a document must have, by Yjs itself. */
  expectedText(document: string): string {
    const doc = new Y.Doc();
    const seed = this.seeds.get(document);
    if (seed) Y.applyUpdate(doc, seed);
    doc.transact(() => {
      for (const update of this.sent.get(document) ?? []) Y.applyUpdate(doc, update);
    });
    const text = doc.getText(TEXT).toJSON();
    doc.destroy();
    return text;
  }

  /** Sends one key press; `undefined` when there was nothing to erase. */
  press(participant: Participant, key: { character: string } | 'erase'): number | undefined {
    const { typist, client, sentAt, member } = participant;
    const update = key === 'erase' ? typist.erase() : typist.insert(key.character);
    if (!update) return undefined;
    const log = this.sent.get(member.document);
    if (log) log.push(update);
    else this.sent.set(member.document, [update]);
    const at = client.sendUpdate(update, key === 'erase' ? undefined : typist.clock);
    if (key !== 'erase') sentAt.push(at);
    return at;
  }

  resetMeasurements(): void {
    this.deliveryLatencies = [];
    this.remoteLatencies = [];
    this.ackLatencies = [];
    this.delivered = 0;
  }

  private participant(member: Member, keepState: boolean): Participant {
    const clientId = FIRST_CLIENT_ID + this.participants.length;
    const ranges = this.ranges.get(member.document) ?? new SharedRanges();
    this.ranges.set(member.document, ranges);
    const client = new LightClient({
      ...member,
      ranges,
      clientId,
      keepState,
      presence: presenceState(clientId, 0),
      listener: {
        delivered: (from, length, at) => this.deliver(participant, { from, length, at }),
        acknowledged: (update, at) => this.acknowledge(participant, update, at),
        presence: (update, at) => this.onPresence?.(participant, update, at),
      },
    });
    const participant: Participant = {
      client,
      typist: new Typist(clientId, member.place),
      member,
      sentAt: [],
      acknowledged: 0,
    };
    this.participants.push(participant);
    this.authors.set(clientId, participant);
    return participant;
  }

  private deliver(
    receiver: Participant,
    { from, length, at }: { from: ItemId; length: number; at: number },
  ): void {
    const author = this.authors.get(from.client);
    if (!author) return;
    this.delivered += length;
    const remote = author.member.url !== receiver.member.url;
    for (let clock = from.clock; clock < from.clock + length; clock++) {
      const latency = at - (author.sentAt[clock] ?? Number.NaN);
      this.deliveryLatencies.push(latency);
      if (remote) this.remoteLatencies.push(latency);
    }
  }

  private acknowledge(participant: Participant, update: SentUpdate, at: number): void {
    this.ackLatencies.push(at - update.at);
    if (update.clock !== undefined) participant.acknowledged = update.clock;
    this.onAcknowledged?.(participant);
  }
}

/** What an editor shows of a person: name, colour, and a cursor as relative positions. */
export function presenceState(clientId: number, position: number): unknown {
  const cursor = { type: null, tname: TEXT, item: { client: clientId, clock: position }, assoc: 0 };
  return {
    user: { name: `Person ${clientId % 1000}`, color: '#0ea5e9' },
    cursor: { anchor: cursor, head: cursor },
  };
}

function withTimeout<T>(promise: Promise<T>, what: string): Promise<T> {
  const expired = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => expired.reject(new Error(`${what}: not within ${OPEN_TIMEOUT_MS} ms`)),
    OPEN_TIMEOUT_MS,
  );
  return Promise.race([promise, expired.promise]).finally(() => clearTimeout(timer));
}
