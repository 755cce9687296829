import { differences, seededRandom, type Random } from '@weft/harness';
import { awarenessEntries, FrameType } from '@weft/common';
import { encodeAwareness, readAwarenessFrame, RELAYED_LIMITS, type AwarenessState } from '@weft/presence';
import { expect, test } from 'vitest';
import * as Y from 'yjs';
import type { Receiver } from './receiver.ts';
import { FrameReader } from '../wire/frame-reader.ts';
import { encodeAddress, updateBody } from '../wire/frames.ts';
import { JoinedUpdate } from './join-updates.ts';
import { Window, type Item, type Shown } from './window.ts';

function receiver(options: Partial<Receiver> = {}): Receiver {
  const nothing = () => undefined;
  const address = encodeAddress('doc');
  return { address, addressKey: 'doc', seesPresence: true, enqueue: nothing, flush: nothing, ...options };
}

/** The frames' bodies, without WebSocket header and address. */
function bodiesOf(parts: readonly Buffer[]): Uint8Array[] {
  const bytes = Buffer.concat(parts);
  const bodies: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const short = bytes[at + 1] as number;
    const header = short < 126 ? 2 : short === 126 ? 4 : 10;
    const lengths = {
      2: () => short,
      4: () => bytes.readUInt16BE(at + 2),
      10: () => bytes.readUInt32BE(at + 6),
    };
    const length = lengths[header]();
    const start = at + header;
    const reader = new FrameReader(bytes.subarray(start, start + length));
    reader.string();
    bodies.push(Uint8Array.from(reader.bytes.subarray(reader.offset)));
    at = start + length;
  }
  return bodies;
}

/** Several people's random edits, as the document that they share tells of them. */
function history(random: Random, steps: number): Uint8Array[] {
  const shared = new Y.Doc();
  const updates: Uint8Array[] = [];
  shared.on('update', (update: Uint8Array) => updates.push(update));
  const people = [11, 22, 33, 44].map((clientID) => Object.assign(new Y.Doc(), { clientID }));
  for (let step = 0; step < steps; step++) {
    const doc = people[random.integer(people.length)] as Y.Doc;
    const text = doc.getText('text');
    const at = random.integer(text.length + 1);
    doc.transact(() => {
      const action = random.integer(6);
      if (action < 3) text.insert(at, 'typed '.slice(0, 1 + random.integer(5)));
      else if (action < 5) text.delete(at, Math.min(2, text.length - at));
      else {
        text.insert(at, 'replaced');
        text.delete(0, Math.min(3, text.length));
        doc.getMap('map').set(`key${random.integer(3)}`, step);
      }
    });
    Y.applyUpdate(shared, Y.encodeStateAsUpdate(doc, Y.encodeStateVector(shared)));
    if (random.integer(3) === 0)
      for (const each of people) Y.applyUpdate(each, Y.encodeStateAsUpdate(shared));
  }
  return updates;
}

test('P12.8 updates of a window that go out as one are to their receiver what they were one by one', () => {
  const random = seededRandom(2_412);
  let joined = 0;
  for (let round = 0; round < 40; round++) {
    const updates = history(random, 60);
    const oneByOne = new Y.Doc();
    const atOnce = new Y.Doc();
    for (let at = 0; at < updates.length;) {
      const run = updates.slice(at, (at += 1 + random.integer(12)));
      for (const update of run) Y.applyUpdate(oneByOne, update);
      const window = new Window(
        run.map((update) => ({ update, from: undefined })),
        [],
      );
      const bodies = bodiesOf(window.partsFor(receiver()));
      joined += run.length - bodies.length;
      for (const body of bodies) {
        const reader = new FrameReader(body);
        reader.offset = 2;
        Y.applyUpdate(atOnce, reader.block());
        expect(atOnce.store.pendingStructs ?? atOnce.store.pendingDs).toBeNull();
      }
      expect(differences({ oneByOne, atOnce })).toEqual([]);
    }
  }
  expect(joined).toBeGreaterThan(500);
});

test('P12.8 an update that both inserts and deletes is left as it is', () => {
  const doc = new Y.Doc();
  const updates: Uint8Array[] = [];
  doc.getText('text').insert(0, 'before');
  doc.on('update', (update: Uint8Array) => updates.push(update));
  doc.transact(() => {
    doc.getText('text').insert(0, 'x');
    doc.getText('text').delete(3, 2);
  });
  expect(new JoinedUpdate().add(updates[0] as Uint8Array)).toBe(false);
});

/** What a frame of presence says: the state of each client. */
function presenceIn(body: Uint8Array | undefined): Map<number, unknown> {
  const reader = new FrameReader(body ?? new Uint8Array());
  expect(reader.uint()).toBe(FrameType.Awareness);
  const entries = readAwarenessFrame(reader.block(), RELAYED_LIMITS);
  expect(reader.done).toBe(true);
  return new Map(entries.map(({ client, state }) => [client, state]));
}

function shown(client: number, from?: Receiver, state: AwarenessState | null = { at: client }): Shown {
  const update = encodeAwareness([{ client, clock: Date.now(), state }]);
  const [[, entry] = []] = awarenessEntries(update);
  return { entry: entry as Uint8Array, from };
}

test('P12.8 nobody is sent their own cursor, nor, while there is room, their own update', () => {
  const [alice, bob, carol] = [receiver(), receiver(), receiver()];
  const update = (byte: number) => new Uint8Array([1, 1, byte, 0, 132, 1, 0, 1, 97, 0]);
  const items: Item[] = [
    { update: update(1), from: alice },
    { update: update(2), from: bob },
  ];
  const window = new Window(items, [shown(7, alice), shown(8)]);
  const [first, second] = items.map((item) => Uint8Array.from(updateBody(item.update)));
  const [ofBob, ofOther, ...rest] = bodiesOf(window.partsFor(alice));
  expect([ofBob, rest]).toEqual([second, []]);
  expect([...presenceIn(ofOther).keys()]).toEqual([8]);
  const [ofAlice, both] = bodiesOf(window.partsFor(bob));
  expect([ofAlice, presenceIn(both)]).toEqual([first, presenceIn(bodiesOf(window.partsFor(carol))[2])]);
  expect(bodiesOf(window.partsFor(carol)).slice(0, 2)).toEqual([first, second]);
  expect(window.partsFor(carol)[0]).toBe(window.partsFor(receiver())[0]);
  expect(new Window([{ update: update(1), from: alice }], []).partsFor(alice)).toEqual([]);
  expect(new Window([], [shown(7, alice)]).partsFor(alice)).toEqual([]);
});

test('P12.8 each of a crowd is sent the presence of all others in one frame', () => {
  for (const size of [2, 3, 130, 400]) {
    const crowd = Array.from({ length: size }, () => receiver());
    // Some speak for two clients, and for one each a colleague at another instance does.
    const presence = crowd.flatMap((from, index) => [
      shown(index + 1, from),
      ...(index % 3 === 0 ? [shown(index + 10_001, from), shown(index + 20_001)] : []),
    ]);
    const window = new Window([], presence);
    const all = presenceIn(bodiesOf(window.partsFor(receiver()))[0]);
    expect(all.size).toBe(presence.length);
    crowd.forEach((one, index) => {
      if (index % Math.ceil(size / 40) !== 0) return;
      const [body, ...more] = bodiesOf(window.partsFor(one));
      const others = new Map(all);
      for (const own of [index + 1, index + 10_001]) others.delete(own);
      expect([presenceIn(body), more]).toEqual([others, []]);
    });
  }
});

test('P12.8 who has not been told who is here is sent edits and no news of presence', () => {
  const update = new Uint8Array([1, 1, 1, 0, 132, 1, 0, 1, 97, 0]);
  const window = new Window([{ update, from: undefined }], [shown(7)]);
  const newcomer = receiver({ seesPresence: false });
  expect(bodiesOf(window.partsFor(newcomer))).toEqual([Uint8Array.from(updateBody(update))]);
  expect(new Window([], [shown(7)]).partsFor(newcomer)).toEqual([]);
});

test('P12.8 what one person did in a row is not sent back to them', () => {
  const alice = receiver();
  const doc = new Y.Doc();
  const items: Item[] = [];
  doc.on('update', (update: Uint8Array) => items.push({ update, from: alice }));
  for (let i = 0; i < 8; i++) doc.getText('text').insert(i, 'a');
  const window = new Window(items, []);
  expect(window.partsFor(alice)).toEqual([]);
  expect(bodiesOf(window.partsFor(receiver()))).toHaveLength(1);
});
