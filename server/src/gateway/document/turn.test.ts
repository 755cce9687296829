import { FrameType, SyncType } from '@weft/common';
import { expect, test } from 'vitest';
import { FrameReader } from '../wire/frame-reader.ts';
import { Turn } from './turn.ts';

function begin() {
  const log: string[] = [];
  const turn = new Turn((work) => {
    log.push('begin');
    work();
    log.push('end');
  });
  const arrive = (name: string, type: number, ...body: number[]) => {
    const source = { resume: () => void log.push(name) };
    const frame = new FrameReader(Uint8Array.of(type, ...body));
    if (!turn.takes(source, frame.uint(), frame)) log.push(name);
  };
  const update = (name: string) => arrive(name, FrameType.Sync, SyncType.Update, 2, 0, 0);
  return { log, turn, arrive, update };
}

const turnOver = () => new Promise((resolve) => setImmediate(resolve));

test('P12.12 what arrives in one turn of the event loop is written together, after the first, in its order', async () => {
  const { log, update } = begin();
  for (const name of ['a', 'b', 'c']) update(name);
  expect(log).toEqual(['a']);
  await turnOver();
  expect(log).toEqual(['a', 'begin', 'b', 'c', 'end']);
  update('d');
  update('e');
  await turnOver();
  expect(log.slice(5)).toEqual(['d', 'e']);
});

test('P12.12 what else somebody sends does not overtake an update, except presence', () => {
  const { log, arrive, update } = begin();
  for (const name of ['a', 'b']) update(name);
  arrive('cursor', FrameType.Awareness, 0);
  arrive('sync', FrameType.Sync, SyncType.Step1, 0);
  expect(log).toEqual(['a', 'cursor', 'b', 'sync']);
});

test('P12.12 a flood within one turn does not pile up', () => {
  const { log, update } = begin();
  for (let i = 0; i < 1_000; i++) update('x');
  expect(log.filter((entry) => entry === 'x').length).toBeGreaterThan(800);
});

test('P9.16 a flood keeps its order when something in it holds back what comes after', async () => {
  const turn = new Turn((work) => work());
  const handled: number[] = [];
  const heldBack: number[] = [];
  const take = (n: number) => {
    if (handled.includes(100)) heldBack.push(n);
    else handled.push(n);
  };
  const sent = Array.from({ length: 300 }, (_, n) => n);
  for (const n of sent) {
    const frame = new FrameReader(Uint8Array.of(FrameType.Sync, SyncType.Update, 2, 0, 0));
    const source = { resume: () => take(n) };
    const waits = heldBack.length === 0 && turn.takes(source, frame.uint(), frame);
    if (!waits) take(n);
  }
  await turnOver();
  expect([...handled, ...heldBack]).toEqual(sent);
});
