import { differences, seededRandom, type Random } from '@weft/harness';
import { expect, test } from 'vitest';
import * as Y from 'yjs';
import type { Receiver } from './fan-out.ts';
import { awarenessBody, encodeAddress, FrameReader, updateBody } from './frames.ts';
import { JoinedUpdate } from './join-updates.ts';
import { Window, type Item } from './window.ts';

function receiver(addressKey = 'doc'): Receiver {
  return { address: encodeAddress(addressKey), addressKey, enqueue: () => undefined, flush: () => undefined };
}

/** The frames' bodies, without WebSocket header and address; all here are short. */
function bodiesOf(bytes: Buffer | undefined): Uint8Array[] {
  const bodies: Uint8Array[] = [];
  for (let at = 0; bytes && at < bytes.length;) {
    const long = bytes[at + 1] === 126;
    const length = long ? bytes.readUInt16BE(at + 2) : (bytes[at + 1] as number);
    const start = at + (long ? 4 : 2);
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
      const bodies = bodiesOf(window.frameFor(receiver()));
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

test('P12.8 nobody is sent their own cursor, nor, while there is room, their own update', () => {
  const [alice, bob, carol] = [receiver(), receiver(), receiver()];
  const update = (byte: number) => new Uint8Array([1, 1, byte, 0, 132, 1, 0, 1, 97, 0]);
  const items: Item[] = [
    { update: update(1), from: alice },
    { body: awarenessBody(new Uint8Array([9])), from: bob },
    { update: update(2), from: bob },
  ];
  const cursors = [{ update: new Uint8Array([1, 7, 1, 1, 32]), from: alice }];
  const window = new Window(items, cursors);
  const [first, presence, second] = [
    updateBody(update(1)),
    awarenessBody(new Uint8Array([9])),
    updateBody(update(2)),
  ].map((body) => Uint8Array.from(body));
  const cursor = Uint8Array.from(awarenessBody(cursors[0]?.update as Uint8Array));
  expect(bodiesOf(window.frameFor(alice))).toEqual([presence, second]);
  expect(bodiesOf(window.frameFor(bob))).toEqual([first, cursor]);
  expect(bodiesOf(window.frameFor(carol))).toEqual([first, presence, second, cursor]);
  expect(window.frameFor(carol)).toBe(window.frameFor(receiver()));
  expect(new Window([{ update: update(1), from: alice }], []).frameFor(alice)).toBeUndefined();
});

test('P12.8 what one person did in a row is not sent back to them', () => {
  const alice = receiver();
  const doc = new Y.Doc();
  const items: Item[] = [];
  doc.on('update', (update: Uint8Array) => items.push({ update, from: alice }));
  for (let i = 0; i < 8; i++) doc.getText('text').insert(i, 'a');
  const window = new Window(items, []);
  expect(window.frameFor(alice)).toBeUndefined();
  expect(bodiesOf(window.frameFor(receiver()))).toHaveLength(1);
});
