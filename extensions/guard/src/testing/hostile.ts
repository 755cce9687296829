import assert from 'node:assert/strict';
import { WeftError, type UpdateAnalysis } from '@weft/common';
import * as Y from 'yjs';
import { analyzeUpdate } from '../analyze.ts';
import { fingerprint } from './fingerprint.ts';
import { forgeRandom, mutate } from './forge.ts';
import { copyOf, type Effect, observe } from './oracle.ts';
import { Random } from './random.ts';
import { Session } from './session.ts';

/** Forged updates that one honest document is exposed to before the next. */
const FORGERIES = 200;
/** Milliseconds that the analysis or application of a small update may take, on a busy machine. */
const MAX_DURATION = 2_000;

const REFUSALS = [
  'update-malformed',
  'nested-too-deep',
  'subdocument-forbidden',
  'update-costly',
  'document-rebuild',
];

export interface HostileCounts {
  forged: number;
  accepted: number;
}

/** A document that grew honestly, then forged and mutated updates: whatever is let through must do only what it says. */
export function runHostileSession(seed: number, counts: HostileCounts): void {
  const random = new Random(seed);
  const { server, updates } = grow(random);
  for (let i = 0; i < FORGERIES; i++) {
    const update =
      updates.length > 0 && random.chance(0.4)
        ? mutate(random, random.pick(updates))
        : forgeRandom(random, server);
    counts.forged++;
    if (!checkForged(server, update, random)) continue;
    counts.accepted++;
  }
}

function grow(random: Random): { server: Y.Doc; updates: Uint8Array[] } {
  const session = new Session(random);
  const updates: Uint8Array[] = [];
  for (let i = 0; i < 10 + random.below(50); i++) {
    session.step();
    const update = session.arriving();
    updates.push(update);
    const analysis = analysisOf(session.server, update);
    if (analysis?.missing.length === 0) Y.applyUpdate(session.server, analysis.update);
  }
  return { server: session.server, updates };
}

/** Whether the update was let through. Applies some of those for good, so that later ones build on them. */
export function checkForged(server: Y.Doc, update: Uint8Array, random: Random): boolean {
  const started = performance.now();
  const analysis = analysisOf(server, update);
  if (analysis === undefined || analysis.missing.length > 0) return false;
  const copy = copyOf(server);
  const effect = observe(copy, analysis.update);
  compare(analysis, effect);
  const loaded = new Y.Doc({ gc: server.gc });
  Y.applyUpdate(loaded, Y.encodeStateAsUpdate(copy));
  assert.equal(fingerprint(loaded), fingerprint(copy), 'loads as the same document');
  assert.ok(performance.now() - started < MAX_DURATION, 'takes too long');
  if (random.chance(0.2)) Y.applyUpdate(server, analysis.update);
  return true;
}

function analysisOf(server: Y.Doc, update: Uint8Array): UpdateAnalysis | undefined {
  try {
    return analyzeUpdate(server, update);
  } catch (error) {
    if (!(error instanceof WeftError)) throw error;
    assert.ok(REFUSALS.includes(error.code), `${error.code}: ${error.detail}`);
    return undefined;
  }
}

function compare(analysis: UpdateAnalysis, effect: Effect): void {
  assert.ok(!effect.pending, 'nothing stays pending');
  const authors = analysis.authors.map(({ client, clock, length }) => `${client}:${clock}+${length}`);
  assert.deepEqual(authors.toSorted(), effect.authors.toSorted(), 'authors');
  for (const name of effect.inserts) assert.ok(analysis.roots.get(name)?.inserts, `inserts into ${name}`);
  for (const name of effect.deletes) assert.ok(analysis.roots.get(name)?.deletes, `deletes from ${name}`);
  for (const name of effect.cleaned) assert.ok(analysis.roots.has(name), `clean-up of ${name}`);
  for (const name of effect.roots) assert.ok(analysis.newRoots.includes(name), `new root ${name}`);
  for (const key of effect.keys) {
    const slash = key.indexOf('/');
    assert.ok(analysis.roots.get(key.slice(0, slash))?.keys.has(key.slice(slash + 1)), `key ${key}`);
  }
  const noop = effect.authors.length === 0 && effect.deletes.size === 0;
  assert.equal(analysis.noop, noop, 'noop');
}
