import { setTimeout as delay } from 'node:timers/promises';
import { WeftError, type ClockRange, type CommittedUpdate, type Logger } from '@weft/common';
import { findEquivocation, type GuardLimits } from '@weft/guard';
import * as Y from 'yjs';

/** Milliseconds that the log is given to say what was carried. */
const PATIENCE = 2_000;
/** Ranges remembered per document; the oldest go first. */
const MAX_RANGES = 1_000;

/** What it needs of a live document. */
export interface OpenDocument {
  readonly key: string;
  readonly log: { readonly id: number };
  readonly document: Y.Doc;
}

export interface CarriedClocksOptions {
  /** The newest `carried` rows of a document in the log, the newest first. */
  readonly readCarried: (documentId: number) => Promise<Uint8Array[]>;
  readonly logger: Logger;
  readonly guardLimits: Partial<GuardLimits>;
}

interface Known {
  readonly ranges: ClockRange[];
  /** What was carried before the document was opened is among them. */
  learned: boolean;
  learning: Promise<void> | undefined;
}

/**
 * Which clocks of a document were taken from a carrier, and not from their author. Nothing in a Yjs sync would ever
 * tell that somebody has other content at clocks that the server has too: state vectors are equal, and what is known
 * is left out. So whoever comes back with such clocks is asked for them again, and what they say is compared. All other
 * documents, and everybody who comes new, pay nothing.
 */
export class CarriedClocks {
  private readonly options: CarriedClocksOptions;
  private readonly documents = new WeakMap<OpenDocument, Known>();

  constructor(options: CarriedClocksOptions) {
    this.options = options;
  }

  /** Rows that this instance or another has committed. */
  observe(document: OpenDocument, rows: readonly CommittedUpdate[]): void {
    for (const { kind, update } of rows) if (kind === 'carried') this.note(document, clocksOf(update));
  }

  note(document: OpenDocument, ranges: readonly ClockRange[]): void {
    const known = this.of(document);
    known.ranges.push(...ranges);
    known.ranges.splice(0, known.ranges.length - MAX_RANGES);
  }

  /**
   * Asks the log, once per opening of the document. A log that does not answer keeps nobody from their document: they
   * are compared when they come the next time.
   *
   * @returns nothing when it is known already.
   */
  learn(document: OpenDocument): void | Promise<void> {
    const known = this.of(document);
    if (known.learned) return;
    known.learning ??= this.read(document, known).finally(() => (known.learning = undefined));
    return known.learning;
  }

  private async read(document: OpenDocument, known: Known): Promise<void> {
    const { readCarried, logger } = this.options;
    try {
      const waited = delay(PATIENCE, undefined, { ref: false });
      const updates = await Promise.race([readCarried(document.log.id), waited]);
      if (updates === undefined) throw new WeftError('log-unavailable');
      known.ranges.unshift(...updates.reverse().flatMap(clocksOf));
      known.ranges.splice(0, known.ranges.length - MAX_RANGES);
      known.learned = true;
    } catch (err) {
      logger.warn({ err, document: document.key }, 'what was carried is not known');
    }
  }

  /**
   * The state vector to ask a client with. Where it too has carried clocks, they are asked for again.
   * `stateVector`: what the client has; nothing without it.
   */
  question(document: OpenDocument, stateVector?: Uint8Array): Uint8Array {
    const ranges = this.documents.get(document)?.ranges;
    const ours = Y.encodeStateVector(document.document);
    if (!stateVector || !ranges || ranges.length === 0) return ours;
    const theirs = Y.decodeStateVector(stateVector);
    const asked = Y.decodeStateVector(ours);
    for (const { client, clock } of ranges) {
      if ((theirs.get(client) ?? 0) > clock) asked.set(client, Math.min(clock, asked.get(client) ?? 0));
    }
    return Y.encodeStateVector(asked);
  }

  /** The first carried clocks of which an update says something else than the document. */
  contradicted(document: OpenDocument, update: Uint8Array): ClockRange | undefined {
    const ranges = this.documents.get(document)?.ranges;
    if (!ranges || ranges.length === 0) return undefined;
    const { guardLimits: limits } = this.options;
    return findEquivocation(document.document, update, { within: ranges, limits });
  }

  private of(document: OpenDocument): Known {
    let known = this.documents.get(document);
    if (!known) this.documents.set(document, (known = { ranges: [], learned: false, learning: undefined }));
    return known;
  }
}

function clocksOf(update: Uint8Array): ClockRange[] {
  const { from, to } = Y.parseUpdateMeta(update);
  return [...from].map(([client, clock]) => ({ client, clock, length: (to.get(client) ?? clock) - clock }));
}
