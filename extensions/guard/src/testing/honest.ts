import assert from 'node:assert/strict';
import { WeftError, type UpdateAnalysis } from '@weft/common';
import * as Y from 'yjs';
import { analyzeUpdate } from '../analyze.ts';
import { findEquivocation } from '../equivocation.ts';
import { fingerprint } from './fingerprint.ts';
import { copyOf, type Effect, observe } from './oracle.ts';
import { Random } from './random.ts';
import { Session } from './session.ts';

export interface HonestCounts {
  /** Updates seen. */
  honest: number;
  /** Sessions that ended since Yjs' own undo had made an order that no replica may be given. */
  rebuilds: number;
}

/** One honest session: every update must be accepted, and do what its analysis says. */
export function runHonestSession(seed: number, counts: HonestCounts): void {
  const session = new Session(new Random(seed));
  const steps = 20 + session.random.below(80);
  for (let i = 0; i < steps; i++) {
    session.step();
    const update = session.arriving();
    counts.honest++;
    if (needsRebuild(session.server, update)) {
      counts.rebuilds++;
      return;
    }
    if (!checkHonest(session.server, update)) session.postpone(update);
  }
  for (const { doc } of session.people) {
    assert.equal(findEquivocation(session.server, Y.encodeStateAsUpdate(doc)), undefined, 'says the same');
  }
}

/** Whoever made it would open the document anew; the fuzz lets the session be over. */
function needsRebuild(server: Y.Doc, update: Uint8Array): boolean {
  try {
    analyzeUpdate(server, update);
    return false;
  } catch (error) {
    if (error instanceof WeftError && error.code === 'document-rebuild') return true;
    throw error;
  }
}

/** Whether it was applied, or has to wait for what it refers to. */
function checkHonest(server: Y.Doc, update: Uint8Array): boolean {
  const before = fingerprint(server);
  const analysis = analyzeUpdate(server, update);
  assert.equal(fingerprint(server), before, 'the analysis changes nothing');
  const copy = copyOf(server);
  const garbageSent = newGarbage(server, update);
  const effect = observe(copy, update);
  assert.equal(analysis.missing.length > 0, effect.pending, 'missing as in Yjs');
  if (effect.pending) return false;
  compare(analysis, effect);
  assert.equal(total(analysis.collapsed), effect.garbage - garbageSent, 'collapsed as in Yjs');
  const roots = new Set(server.share.keys());
  const same = copyOf(server);
  Y.applyUpdate(same, analysis.update);
  assert.equal(fingerprint(same), fingerprint(copy), 'the cut update does the same');
  Y.applyUpdate(server, analysis.update);
  assert.deepEqual(analysis.newRoots.toSorted(), added(server, roots), 'new roots');
  assert.ok(analyzeUpdate(server, update).noop, 'the second time it is known');
  assert.equal(findEquivocation(server, update), undefined, 'and says the same');
  return true;
}

function added(doc: Y.Doc, before: ReadonlySet<string>): string[] {
  return [...doc.share.keys()].filter((name) => !before.has(name)).toSorted();
}

function compare(analysis: UpdateAnalysis, effect: Effect): void {
  const authors = analysis.authors.map(({ client, clock, length }) => `${client}:${clock}+${length}`);
  assert.deepEqual(authors.toSorted(), effect.authors.toSorted(), 'authors');
  const inserted = [...analysis.roots].filter(([, { inserts }]) => inserts).map(([name]) => name);
  assert.deepEqual(inserted.toSorted(), [...effect.inserts].toSorted(), 'roots inserted into');
  const keys = [...analysis.roots].flatMap(([name, access]) =>
    [...access.keys].map((key) => `${name}/${key}`),
  );
  assert.deepEqual(keys.toSorted(), [...effect.keys].toSorted(), 'keys');
  for (const name of effect.deletes) assert.ok(analysis.roots.get(name)?.deletes, `deletes from ${name}`);
  for (const name of effect.cleaned) assert.ok(analysis.roots.has(name), `clean-up of ${name}`);
  if (effect.deletes.size > 0) assert.ok(analysis.deletes);
  const noop = effect.authors.length === 0 && effect.deletes.size === 0;
  assert.equal(analysis.noop, noop, 'noop');
}

/** Clocks that come as GCs and are new. */
function newGarbage(doc: Y.Doc, update: Uint8Array): number {
  let clocks = 0;
  for (const struct of Y.decodeUpdate(update).structs) {
    const { client, clock } = struct.id;
    const known = Math.max(0, Y.getState(doc.store, client) - clock);
    if (struct instanceof Y.GC) clocks += Math.max(0, struct.length - known);
  }
  return clocks;
}

function total(ranges: readonly { length: number }[]): number {
  return ranges.reduce((sum, { length }) => sum + length, 0);
}
