import assert from 'node:assert/strict';
import { WeftError, type UpdateAnalysis } from '@weft/common';
import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { analyzeUpdate } from './analyze.ts';
import { fingerprint } from './testing/fingerprint.ts';
import { Random } from './testing/random.ts';
import { Session } from './testing/session.ts';

/** Updates that arrive in one turn of a server's event loop. */
const AT_ONCE = 6;

test('P3.18 in the middle of a transaction the analysis sees what was applied before, and allows no more than outside', () => {
  let together = 0;
  for (let seed = 1; seed <= 120; seed++) {
    try {
      together += runTogether(seed);
    } catch (cause) {
      throw new Error(`seed ${seed} fails`, { cause });
    }
  }
  expect(together).toBeGreaterThan(500);
});

/**
 * Writes what arrives in transactions of several, like the gateway, which knows no types at the roots. Beside it each
 * update is written alone. Returns how many of them were in the same transaction as another.
 */
function runTogether(seed: number): number {
  const session = new Session(new Random(seed));
  const { server, random } = session;
  if (server.share.size > 0) return 0;
  const alone = new Y.Doc({ gc: server.gc });
  let together = 0;
  for (let round = 0; round < 15; round++) {
    for (let i = 0; i < AT_ONCE; i++) session.step();
    const arrived = Array.from({ length: 1 + random.below(AT_ONCE) }, () => session.arriving());
    const before = together;
    server.transact(() => {
      for (const update of arrived) {
        const analysis = analyze(server, update);
        if (!analysis || analysis.noop) continue;
        if (analysis.missing.length > 0) session.postpone(update);
        else {
          allowsNoMore(analysis, analyze(alone, update));
          for (const doc of [server, alone]) Y.applyUpdate(doc, analysis.update);
          together += 1;
        }
      }
    });
    if (together - before === 1) together = before;
    assert.equal(server.store.pendingStructs, null);
    assert.equal(fingerprint(server), fingerprint(alone), 'written alone it does the same');
  }
  return together;
}

/** `undefined`: Yjs' own undo has made an order that no replica takes. */
function analyze(doc: Y.Doc, update: Uint8Array): UpdateAnalysis | undefined {
  try {
    return analyzeUpdate(doc, update);
  } catch (error) {
    if (error instanceof WeftError && error.code === 'document-rebuild') return undefined;
    throw error;
  }
}

/** What is garbage already in a document of its own still hangs on its root within the transaction. */
function allowsNoMore(within: UpdateAnalysis, outside: UpdateAnalysis | undefined): void {
  assert.deepEqual(within.authors, outside?.authors, 'authors');
  assert.deepEqual(within.newRoots, outside?.newRoots, 'new roots');
  for (const [name, { inserts, deletes, keys }] of outside?.roots ?? []) {
    const access = within.roots.get(name);
    assert.ok(!inserts || access?.inserts, `inserts into ${name}`);
    assert.ok(!deletes || access?.deletes, `deletes from ${name}`);
    assert.ok(
      [...keys].every((key) => access?.keys.has(key)),
      `keys of ${name}`,
    );
  }
}
