import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import * as Y from 'yjs';
import type { Random } from './random.ts';
import { applyPatch, Typist } from './typist.ts';

/** One person's change, and which changes that person had seen then. */
export interface TraceChange {
  readonly agent: number;
  /** Yjs update, encoding v1. */
  readonly update: Uint8Array;
  /** Of each agent, how many changes this one builds on. */
  readonly seen: readonly number[];
}

/** A concurrent editing session that can be played again through anything, and its only possible outcome. */
export interface EditingTrace {
  readonly name: string;
  readonly agents: number;
  readonly changes: readonly TraceChange[];
  readonly expectedText: string;
}

interface Replica {
  readonly document: Y.Doc;
  readonly seen: number[];
}

/** The text root that traces write. */
const ROOT = 'body';

/** Builds a trace by letting replicas edit, each knowing exactly what it is told to know. */
class TraceRecorder {
  private readonly replicas: Replica[];
  private readonly byAgent: TraceChange[][];
  private readonly changes: TraceChange[] = [];

  constructor(agents: number) {
    this.replicas = Array.from({ length: agents }, (_, agent) => {
      const document = new Y.Doc();
      // Yjs orders concurrent insertions by client id: fixed ones make the outcome the same each time.
      document.clientID = 1_000 + agent;
      return { document, seen: Array.from({ length: agents }, () => 0) };
    });
    this.byAgent = Array.from({ length: agents }, () => []);
  }

  private replica(agent: number): Replica {
    const replica = this.replicas[agent];
    if (!replica) throw new Error(`The trace has no agent ${agent}`);
    return replica;
  }

  count(agent: number): number {
    return this.byAgent[agent]?.length ?? 0;
  }

  text(agent: number): Y.Text {
    return this.replica(agent).document.getText(ROOT);
  }

  /** `agent` sees the first `upTo` changes of `other`, and what those built on. */
  show(agent: number, other: number, upTo: number): void {
    const { document, seen } = this.replica(agent);
    const changes = this.byAgent[other] ?? [];
    for (let next = seen[other] ?? 0; next < upTo; next++) {
      const change = changes[next];
      if (!change) throw new Error(`Agent ${other} has not made change ${next}`);
      change.seen.forEach((count, third) => {
        if (third !== agent && third !== other) this.show(agent, third, count);
      });
      Y.applyUpdate(document, change.update);
      seen[other] = next + 1;
    }
  }

  edit(agent: number, change: (text: Y.Text) => void): void {
    const { document, seen } = this.replica(agent);
    const updates: Uint8Array[] = [];
    const collect = (update: Uint8Array) => updates.push(update);
    const before = [...seen];
    document.on('update', collect);
    document.transact(() => change(document.getText(ROOT)));
    document.off('update', collect);
    const update = updates[0];
    // Every change keeps its number, also one that changed nothing.
    const made = { agent, seen: before, update: update ?? Y.encodeStateAsUpdate(new Y.Doc()) };
    this.byAgent[agent]?.push(made);
    this.changes.push(made);
    seen[agent] = (seen[agent] ?? 0) + 1;
  }

  finish(name: string): EditingTrace {
    const merged = new Y.Doc();
    for (const { update } of this.changes) Y.applyUpdate(merged, update);
    return {
      name,
      agents: this.replicas.length,
      changes: this.changes,
      expectedText: merged.getText(ROOT).toJSON(),
    };
  }
}

/** Several people in one text, each now and then out of touch with the others. */
export function generateTrace({
  random,
  agents,
  changes,
}: {
  readonly random: Random;
  readonly agents: number;
  readonly changes: number;
}): EditingTrace {
  const recorder = new TraceRecorder(agents);
  const typists = Array.from({ length: agents }, () => new Typist(random));
  for (let made = 0; made < changes; made++) {
    const agent = random.integer(agents);
    for (let other = 0; other < agents; other++) {
      // On average a third of the time a person has just heard from another; between, both write blindly.
      if (other !== agent && random.chance(0.3)) recorder.show(agent, other, recorder.count(other));
    }
    const patch = typists[agent]?.next(recorder.text(agent).length);
    if (patch) recorder.edit(agent, (text) => applyPatch(text, patch));
  }
  return recorder.finish(`generated, seed ${random.seed}`);
}

interface RecordedTransaction {
  readonly parents?: readonly number[];
  readonly agent?: number;
  readonly patches: readonly (readonly [at: number, deleted: number, inserted: string])[];
}

interface RecordedTrace {
  readonly kind?: string;
  readonly startContent?: string;
  readonly endContent: string;
  readonly numAgents?: number;
  readonly txns: readonly RecordedTransaction[];
}

/**
 * Reads a recording in the format of the editing-traces collection: transactions with the patches of one
 * agent, and the transactions they were made after.
 */
export function readTrace(path: string): EditingTrace & { readonly recordedText: string } {
  const file = readFileSync(path);
  const text = (path.endsWith('.gz') ? gunzipSync(file) : file).toString('utf8');
  const recording = JSON.parse(text) as RecordedTrace;
  const recorder = new TraceRecorder(recording.numAgents ?? 1);
  if (recording.startContent) {
    const start = recording.startContent;
    recorder.edit(0, (body) => body.insert(0, start));
  }
  const numbers: { agent: number; count: number }[] = [];
  for (const { agent = 0, parents = [], patches } of recording.txns) {
    for (const parent of parents) {
      const known = numbers[parent];
      if (known && known.agent !== agent) recorder.show(agent, known.agent, known.count);
    }
    recorder.edit(agent, (body) => {
      for (const [at, deleted, inserted] of patches) applyPatch(body, { at, deleted, inserted });
    });
    numbers.push({ agent, count: recorder.count(agent) });
  }
  return { ...recorder.finish(path), recordedText: recording.endContent };
}

/** Recordings in the directory that `WEFT_TRACE_DIR` names; none when it is not set. */
export function recordedTraces(): string[] {
  const directory = process.env.WEFT_TRACE_DIR;
  if (!directory) return [];
  return readdirSync(directory)
    .filter((name) => /\.json(\.gz)?$/.test(name))
    .map((name) => join(directory, name));
}
