import type { UpdateAnalysis } from '@weft/common';
import type * as Y from 'yjs';
import { Analysis } from './analysis.ts';
import { analyseDeletes } from './deletions.ts';
import { type GuardLimits, resolveLimits } from './limits.ts';
import { authorsOf, findNews } from './news.ts';
import { parseUpdate } from './parse.ts';
import { placeAll } from './placement.ts';
import { replay } from './replay.ts';
import { rewriteUpdate } from './rewrite.ts';
import { emptyUpdate } from './write.ts';

/**
 * Finds what an update (encoding v1) would do to the document, without applying it: nothing is changed and no shared
 * type is made. What it lets through without `missing` can be applied: it does not throw, leaves nothing pending, and
 * touches no other root types and no other authors' clocks than it says.
 *
 * @throws WeftError `update-malformed`, `nested-too-deep`, `subdocument-forbidden`, `update-costly`; `document-rebuild` when it can be taken
 *   by no replica, though its sender may be honest; `detail` says what about it.
 */
export function analyzeUpdate(doc: Y.Doc, update: Uint8Array, limits?: Partial<GuardLimits>): UpdateAnalysis {
  return analyse(doc, update, resolveLimits(limits));
}

function analyse(doc: Y.Doc, bytes: Uint8Array, limits: GuardLimits): UpdateAnalysis {
  const analysis = new Analysis(doc, parseUpdate(bytes, limits), limits);
  findNews(analysis);
  placeAll(analysis);
  if (analysis.needsReplay) replay(analysis);
  analyseDeletes(analysis);
  const authors = authorsOf(analysis);
  const { missing, collapsed, places } = analysis;
  const noop = authors.length === 0 && analysis.deletes.length === 0 && missing.length === 0;
  return {
    noop,
    authors,
    roots: places.roots,
    newRoots: places.newRoots,
    deletes: removes(analysis),
    missing,
    collapsed,
    walk: analysis.walked,
    update: noop ? emptyUpdate : bytesOf(analysis),
  };
}

function removes({ places }: Analysis): boolean {
  for (const { deletes } of places.roots.values()) if (deletes) return true;
  return false;
}

function bytesOf(analysis: Analysis): Uint8Array {
  const asItCame = analysis.missing.length > 0 || !analysis.rewrite;
  return asItCame ? analysis.update.bytes : rewriteUpdate(analysis);
}
