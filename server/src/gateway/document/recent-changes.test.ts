import type { ClockRange } from '@weft/common';
import {
  deletionsIn,
  deletionsOf,
  encodeMissed,
  isAllDeleted,
  lackingDeletions,
  type DeletedRanges,
} from '@weft/guard';
import { differences, seededRandom, type Random } from '@weft/harness';
import { describe, expect, test } from 'vitest';
import * as Y from 'yjs';
import { RecentChanges } from './recent-changes.ts';

/** Longer than the time for which instances may disagree about an order, so that nothing is found by that alone. */
const STEP = 10_000;

/** A replica whose updates reach the server in order, and which may be cut off at any moment. */
class Client {
  readonly doc = new Y.Doc();
  /** What each side has said and the other not heard. */
  outbound: Uint8Array[] = [];
  inbound: Uint8Array[] = [];
  connected = true;
  /** It got a change past those before it. */
  disordered = false;

  constructor(id: number) {
    this.doc.clientID = id;
    this.doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin !== 'server' && this.connected) this.outbound.push(update);
    });
  }

  receive(update: Uint8Array): void {
    Y.applyUpdate(this.doc, update, 'server');
  }

  edit(random: Random): void {
    const text = this.doc.getText('text');
    const map = this.doc.getMap('map');
    const kind = random.integer(10);
    if (kind < 4) text.insert(random.integer(text.length + 1), 'abcdef'.slice(0, 1 + random.integer(5)));
    else if (kind < 8 && text.length > 0) {
      const at = random.integer(text.length);
      text.delete(at, Math.min(1 + random.integer(4), text.length - at));
    } else if (kind === 8) map.set(`k${random.integer(3)}`, new Y.Text('nested'));
    else map.delete(`k${random.integer(3)}`);
  }
}

interface Options {
  readonly limits?: { readonly changes: number; readonly bytes: number };
  /** Clients also get changes from elsewhere, past the order of the server. */
  readonly disorder?: boolean;
  /** What is no longer kept is looked for in the log. */
  readonly log?: boolean;
}

interface Outcome {
  readonly covered: boolean;
  readonly completed: boolean;
  readonly disordered: boolean;
}

class World {
  readonly doc = new Y.Doc();
  readonly recent: RecentChanges;
  readonly clients: Client[];
  readonly outcomes: Outcome[] = [];
  /** Whether an answer was said to bring nothing, and whether it changed the document. */
  readonly answers: { readonly nothing: boolean; readonly changed: boolean }[] = [];
  private readonly history: Uint8Array[] = [];
  private readonly random: Random;
  private readonly options: Options;
  private now = 0;
  /** All deletions, as they were when somebody came back before. */
  private kept: { readonly before: DeletedRanges; readonly changes: number } | undefined;
  private author: Client | undefined;

  constructor(seed: number, options: Options) {
    this.random = seededRandom(seed);
    this.options = options;
    this.recent = new RecentChanges(options.limits);
    this.clients = [11, 12, 13, 14].map((id) => new Client(id));
    this.doc.on('update', (update: Uint8Array) => {
      this.history.push(update);
      this.recent.append(update, this.now);
      for (const client of this.clients) {
        if (client.connected && client !== this.author) client.inbound.push(update);
      }
    });
  }

  step(): void {
    this.now += STEP;
    const client = this.random.pick(this.clients);
    const kind = this.random.integer(20);
    if (kind < 8) client.edit(this.random);
    else if (!client.connected) {
      if (kind < 10 && this.options.disorder) this.passOn(client);
      else if (kind < 12) this.reconnect(client);
    } else if (kind < 13) this.hear(client);
    else if (kind < 18) this.deliver(client);
    else if (kind === 18) this.cut(client);
  }

  private hear(client: Client): void {
    const update = client.outbound.shift();
    if (!update) return;
    this.author = client;
    Y.applyUpdate(this.doc, update);
    this.author = undefined;
  }

  private deliver(client: Client): void {
    const update = client.inbound.shift();
    if (update) client.receive(update);
  }

  private cut(client: Client): void {
    client.connected = false;
    client.outbound = [];
    client.inbound = [];
  }

  /** Changes of long ago, or of just now, without those before them. */
  private passOn(client: Client): void {
    if (this.history.length === 0) return;
    client.disordered = true;
    for (let n = 0; n < 5; n++) client.receive(this.random.pick(this.history));
  }

  /** SyncStep1 both ways, the answers, and what the client's answer shows it to lack. */
  reconnect(client: Client): void {
    const vector = Y.encodeStateVector(client.doc);
    client.connected = true;
    const stateVector = Y.decodeStateVector(vector);
    const deletions = this.missed(client, stateVector);
    const update = deletions
      ? encodeMissed(this.doc, { stateVector, deletions })
      : Y.encodeStateAsUpdate(this.doc, vector);
    const changes = this.recent.count;
    const answer = Y.encodeStateAsUpdate(client.doc, Y.encodeStateVector(this.doc));
    client.inbound.push(update);
    // Others go on meanwhile, and the client hears of it.
    for (const other of this.clients) if (other !== client) this.hear(other);
    const said = deletionsIn(answer);
    const nothing = isAllDeleted(this.deleted(), answer, said);
    const count = this.history.length;
    this.author = client;
    Y.applyUpdate(this.doc, answer);
    this.author = undefined;
    this.answers.push({ nothing, changed: this.history.length > count });
    const told = [...(deletions ?? []), ...this.recent.deletionsAfter(changes)];
    const known = { stateVector, deletions: said, told };
    const lacking = deletions && lackingDeletions(this.deleted(), known);
    if (lacking) client.inbound.push(lacking);
    const { disordered } = client;
    this.outcomes.push({ covered: deletions !== undefined, completed: lacking !== undefined, disordered });
    client.disordered = false;
  }

  private deleted(): { before: DeletedRanges; since: ClockRange[] } {
    const { recent } = this;
    if (!this.kept || !recent.reachesBackTo(this.kept.changes)) {
      this.kept = { before: deletionsOf(this.doc), changes: recent.count };
    }
    return { before: this.kept.before, since: recent.deletionsAfter(this.kept.changes) };
  }

  private missed(client: Client, stateVector: ReadonlyMap<number, number>) {
    const absence = { document: this.doc, stateVector, isOwn: (id: number) => id === client.doc.clientID };
    const deletions = this.recent.deletionsMissed(absence);
    if (deletions || !this.options.log) return deletions;
    const through = this.recent.preceding ?? this.history.length;
    const rows = this.history.slice(0, through).map((update, index) => ({
      seq: index + 1,
      at: new Date(0),
      update,
    }));
    this.recent.prepend(rows, this.now);
    return this.recent.deletionsMissed(absence);
  }

  /** Everybody comes back and everything arrives. */
  finish(): void {
    for (const client of this.clients) if (!client.connected) this.reconnect(client);
    for (const client of this.clients) while (client.outbound.length > 0) this.hear(client);
    for (const client of this.clients) while (client.inbound.length > 0) this.deliver(client);
  }
}

function run(seed: number, options: Options): World {
  const world = new World(seed, options);
  for (let n = 0; n < 300; n++) world.step();
  world.finish();
  return world;
}

function replicas({ doc, clients }: World): Record<string, Y.Doc> {
  return { server: doc, ...Object.fromEntries(clients.map((client, n) => [`client ${n}`, client.doc])) };
}

const SEEDS = Array.from({ length: 60 }, (_, n) => n + 1);

describe('coming back', () => {
  test('P9.10 whoever was sent the changes in order gets all that they missed at once, and is equal then', () => {
    for (const seed of SEEDS) {
      const world = run(seed, {});
      expect(differences(replicas(world)), `seed ${seed}`).toEqual([]);
      expect(
        world.outcomes.filter(({ covered }) => !covered),
        `seed ${seed}`,
      ).toEqual([]);
      expect(
        world.outcomes.filter(({ completed }) => completed),
        `seed ${seed}`,
      ).toEqual([]);
    }
  });

  test('P9.10 whoever got changes in another order is told the rest after their answer, and is equal then', () => {
    let completed = 0;
    for (const seed of SEEDS) {
      const world = run(seed, { disorder: true });
      expect(differences(replicas(world)), `seed ${seed}`).toEqual([]);
      completed += world.outcomes.filter((outcome) => outcome.completed).length;
    }
    expect(completed).toBeGreaterThan(5);
  });

  test('P9.10 whoever was away for longer than changes are kept gets the whole difference', () => {
    let uncovered = 0;
    for (const seed of SEEDS) {
      const world = run(seed, { limits: { changes: 5, bytes: 2_000 }, disorder: true });
      expect(differences(replicas(world)), `seed ${seed}`).toEqual([]);
      uncovered += world.outcomes.filter(({ covered }) => !covered).length;
    }
    expect(uncovered).toBeGreaterThan(10);
  });

  test('P9.10 or what the log says that they missed', () => {
    for (const seed of SEEDS) {
      const world = run(seed, { limits: { changes: 5, bytes: 2_000 }, log: true });
      expect(differences(replicas(world)), `seed ${seed}`).toEqual([]);
      expect(
        world.outcomes.filter(({ covered }) => !covered),
        `seed ${seed}`,
      ).toEqual([]);
    }
  });

  test('P1.15 an answer that is said to bring nothing changes nothing', () => {
    const answers = SEEDS.flatMap((seed) => run(seed, { disorder: true }).answers);
    expect(answers.filter(({ nothing, changed }) => nothing && changed)).toEqual([]);
    expect(answers.filter(({ nothing }) => nothing).length).toBeGreaterThan(10);
    expect(answers.filter(({ changed }) => changed).length).toBeGreaterThan(10);
  });

  test('P7.3 what is kept of a document is bounded, looked at or not', () => {
    const doc = new Y.Doc();
    const recent = new RecentChanges({ changes: 50, bytes: 10_000 });
    doc.on('update', (update: Uint8Array) => recent.append(update, 0));
    const text = doc.getText('text');
    for (let n = 0; n < 200; n++) {
      text.insert(0, 'some words');
      text.delete(2, 3);
    }
    expect(recent.preceding).toBeUndefined();
    expect(recent.deletionsAfter(0).length).toBeLessThanOrEqual(50);
    text.insert(0, 'x'.repeat(20_000));
    expect(recent.deletionsAfter(0)).toEqual([]);
    const absence = { document: doc, stateVector: new Map([[doc.clientID, 1]]), isOwn: () => false };
    expect(recent.deletionsMissed(absence)).toBeUndefined();
  });
});
