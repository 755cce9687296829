import type { PreparedDocument } from '../document.ts';
import type { GeneratorLoad } from '../load/load-watch.ts';
import type { LoadGenerator } from '../load/generator.ts';
import type { Deployment, Instance, Services } from '../targets/target.ts';

/** One line of the result. */
export interface Figure {
  readonly key: string;
  readonly label: string;
  readonly unit: string;
  /** What Weft is to reach, as a ratio to stock, or as Weft's own value where stock has none to compare. */
  readonly aim?: { readonly of: 'ratio' | 'value'; readonly atMost?: number; readonly atLeast?: number };
}

/** Values by the figures' keys. A missing one could not be measured. */
export type Readings = Readonly<Record<string, number>>;

export interface Scenario {
  readonly name: string;
  readonly title: string;
  readonly instances: number;
  readonly figures: readonly Figure[];
  readonly inspectMemory?: boolean;
  /** Milliseconds after which one round of one target is given up. */
  readonly deadline: number;
  run(stage: Stage): Promise<Readings>;
}

/** A document that is there before anybody comes, made once for the whole run. */
export interface DocumentFile extends PreparedDocument {
  /** Holds `state`, for the generator's process. */
  readonly file: string;
}

export interface Stage {
  readonly deployment: Deployment;
  readonly services: Services;
  readonly load: LoadGenerator;
  readonly random: () => number;
  /** Shorter windows and smaller crowds, to see whether it works. */
  readonly quick: boolean;
  readonly page: () => DocumentFile;
  readonly largeDocument: () => DocumentFile;
  readonly hugeDocument: () => DocumentFile;
  /** Something the reader of the result must know. */
  note(text: string): void;
}

export function instanceOf(stage: Stage, index: number): Instance {
  const { instances } = stage.deployment;
  const instance = instances[index % instances.length];
  if (!instance) throw new Error('The deployment has no instance');
  return instance;
}

/** Says so when the generator was too busy for its latencies to be the server's. */
export function noteLoad(stage: Stage, load: GeneratorLoad, lagP99?: number): void {
  if (!load.saturated && (lagP99 ?? 0) < 50) return;
  const cpu = Math.round(load.cpu * 100);
  const lag = lagP99 === undefined ? '' : `, sent up to ${Math.round(lagP99)} ms late (p99)`;
  stage.note(
    `the generator was saturated (${cpu} % of a core, loop p99 ${Math.round(load.loopP99)} ms${lag})`,
  );
}
