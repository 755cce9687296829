import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import * as Y from 'yjs';
import type { PreparedDocument } from './document.ts';
import { TEXT } from './load/typist.ts';

/**
 * A recorded editing session as the public collections of editing traces write it: gzipped JSON, positions in
 * Unicode code points. Linear ones have transactions one after another; concurrent ones name for each the
 * transactions it was written after.
 */
export interface Trace {
  readonly startContent: string;
  readonly endContent: string;
  readonly agents: number;
  readonly transactions: readonly TraceTransaction[];
}

export interface TraceTransaction {
  readonly agent: number;
  /** Indexes of the transactions that its author had seen last; all before those had been seen too. */
  readonly parents: readonly number[];
  readonly patches: readonly TracePatch[];
}

/** Applied in order, each to the text that the one before left. */
export type TracePatch = readonly [position: number, deleted: number, inserted: string];

interface TraceFile {
  readonly startContent?: string;
  readonly endContent: string;
  readonly kind?: string;
  readonly numAgents?: number;
  readonly txns: readonly { parents?: number[]; agent?: number; patches: TracePatch[] }[];
}

/** Code points that are two UTF-16 units, which is what Yjs counts. */
const ASTRAL = /[\u{10000}-\u{10ffff}]/u;

export function readTrace(path: string): Trace {
  const bytes = readFileSync(path);
  const compressed = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const file = JSON.parse((compressed ? gunzipSync(bytes) : bytes).toString('utf8')) as TraceFile;
  if (file.txns.some(({ patches }) => patches.some(([, , inserted]) => ASTRAL.test(inserted)))) {
    throw new Error(`${path} has characters beyond U+FFFF: its positions are not those of a Y.Text`);
  }
  return {
    startContent: file.startContent ?? '',
    endContent: file.endContent,
    agents: file.numAgents ?? 1,
    transactions: file.txns.map(({ parents, agent, patches }, index) => ({
      agent: agent ?? 0,
      parents: parents ?? (index > 0 ? [index - 1] : []),
      patches,
    })),
  };
}

/** One transaction as the update its author's document gave. */
export interface TraceStep {
  readonly agent: number;
  readonly update: Uint8Array;
  /** What its author's document held before: a document that holds less must wait with this step. */
  readonly requires: ReadonlyMap<number, number>;
}

export interface ReplayOptions {
  /** The shared text that is written. */
  readonly text?: string;
  /** An agent's Yjs client id. The ids decide between insertions at the same place: the greater goes right. */
  readonly clientId?: (agent: number) => number;
}

export interface Replay {
  /** What was there before the first step; `undefined` when nothing was. */
  readonly start: Uint8Array | undefined;
  /** All of it, by one document that saw everything. */
  readonly doc: Y.Doc;
  readonly steps: readonly TraceStep[];
  /** Characters inserted and deleted. */
  readonly operations: number;
  readonly deletions: number;
}

/** Replays a session with one Y.Doc for each of its people, who see of each other what they had seen then. */
export function replayTrace(
  trace: Trace,
  { text = TEXT, clientId = (agent) => agent + 1 }: ReplayOptions = {},
): Replay {
  const start = trace.startContent ? startUpdate(trace.startContent, text) : undefined;
  const authors = Array.from(
    { length: trace.agents },
    (_, agent) => new Author({ trace, start, text, agent, clientId: clientId(agent) }),
  );
  const steps: TraceStep[] = [];
  for (const [index, { agent }] of trace.transactions.entries()) {
    const author = authors[agent];
    if (!author) throw new RangeError(`Transaction ${index} is by agent ${agent} of ${trace.agents}`);
    steps.push(author.write(index, steps));
  }
  for (const author of authors) author.doc.destroy();
  return { doc: assemble(start, steps), start, steps, ...countOperations(trace) };
}

function assemble(start: Uint8Array | undefined, steps: readonly TraceStep[]): Y.Doc {
  const doc = new Y.Doc();
  doc.transact(() => {
    if (start) Y.applyUpdate(doc, start);
    for (const { update } of steps) Y.applyUpdate(doc, update);
  });
  return doc;
}

function countOperations({ transactions }: Trace): { operations: number; deletions: number } {
  let insertions = 0;
  let deletions = 0;
  for (const [, deleted, inserted] of transactions.flatMap(({ patches }) => patches)) {
    insertions += inserted.length;
    deletions += deleted;
  }
  return { operations: insertions + deletions, deletions };
}

/** True when `doc` holds all that a step's author had seen. */
export function isReadyFor(doc: Y.Doc, { requires }: TraceStep): boolean {
  for (const [client, clock] of requires) {
    if (Y.getState(doc.store, client) < clock) return false;
  }
  return true;
}

interface AuthorOptions {
  readonly trace: Trace;
  readonly start: Uint8Array | undefined;
  readonly text: string;
  readonly agent: number;
  readonly clientId: number;
}

class Author {
  readonly doc = new Y.Doc();
  private readonly options: AuthorOptions;
  private readonly seen: Uint8Array;

  constructor(options: AuthorOptions) {
    this.options = options;
    this.seen = new Uint8Array(options.trace.transactions.length);
    if (options.start) Y.applyUpdate(this.doc, options.start);
    this.doc.clientID = options.clientId;
  }

  write(index: number, steps: readonly TraceStep[]): TraceStep {
    const transaction = this.options.trace.transactions[index];
    this.see(transaction?.parents ?? [], steps);
    const requires = Y.decodeStateVector(Y.encodeStateVector(this.doc));
    const updates: Uint8Array[] = [];
    const collect = (update: Uint8Array) => updates.push(update);
    this.doc.on('update', collect);
    const text = this.doc.getText(this.options.text);
    this.doc.transact(() => {
      for (const patch of transaction?.patches ?? []) applyPatch(text, patch);
    });
    this.doc.off('update', collect);
    this.seen[index] = 1;
    const [update = Uint8Array.of(0, 0)] = updates;
    return { agent: this.options.agent, update, requires };
  }

  /** Takes over the given transactions and all before them. Their order in the file is an order they can be applied in. */
  private see(parents: readonly number[], steps: readonly TraceStep[]): void {
    const missing: number[] = [];
    const open = [...parents];
    for (let index = open.pop(); index !== undefined; index = open.pop()) {
      if (this.seen[index]) continue;
      this.seen[index] = 1;
      missing.push(index);
      open.push(...(this.options.trace.transactions[index]?.parents ?? []));
    }
    missing.sort((a, b) => a - b);
    this.doc.transact(() => {
      for (const index of missing) {
        const step = steps[index];
        if (step) Y.applyUpdate(this.doc, step.update);
      }
    });
  }
}

function applyPatch(text: Y.Text, [position, deleted, inserted]: TracePatch): void {
  if (deleted > 0) text.delete(position, deleted);
  if (inserted.length > 0) text.insert(position, inserted);
}

/** What was there before the session, written by nobody of it; the same bytes wherever it is made. */
function startUpdate(content: string, text: string): Uint8Array {
  const doc = new Y.Doc();
  doc.clientID = 0;
  doc.getText(text).insert(0, content);
  const update = Y.encodeStateAsUpdate(doc);
  doc.destroy();
  return update;
}

const STEPS_PER_PIECE = 500;

/** A recorded session as the large document of the benchmark. */
export function prepareFromTrace(path: string): PreparedDocument {
  const { doc, start, steps, operations, deletions } = replayTrace(readTrace(path));
  const state = Y.encodeStateAsUpdate(doc);
  doc.destroy();
  const pieces: Uint8Array[] = start ? [start] : [];
  for (let from = 0; from < steps.length; from += STEPS_PER_PIECE) {
    pieces.push(Y.mergeUpdates(steps.slice(from, from + STEPS_PER_PIECE).map(({ update }) => update)));
  }
  return { state, pieces, operations, deletions };
}
