import { setTimeout as delay } from 'node:timers/promises';
import { WeftError, type Clock, type Principal, type UpdateAnalysis } from '@weft/common';
import { analyzeUpdate, costlyLimits, type GuardLimits } from '@weft/guard';
import { KeyedBuckets, TokenBucket } from '@weft/limits';
import type { Doc } from 'yjs';

/** Items passed without being counted: some tenths of a millisecond, which is what typing in company costs. */
const FREE = 1_000;
/** Items that Yjs passes in a millisecond where there are many of them; measured, see the guard's README. */
const PER_MILLISECOND = 2_000;
/** Seconds of its share that somebody may use at once. */
const BURST_SECONDS = 10;
/** All people together may use so many times the share of one. */
const PEOPLE = 4;
const POLL = 50;
const USED_UP = 'the share is used up';

export interface WalksOptions {
  readonly clock: Clock;
  /** Of a core, from 0 to 1, that one person's may take. */
  readonly share: number;
  /** Milliseconds that an update may wait for it. */
  readonly patience: number;
  readonly guardLimits: Partial<GuardLimits>;
}

interface Work {
  readonly principal: Principal;
  readonly document: Doc;
  readonly update: Uint8Array;
}

/**
 * Analyses updates, and bounds what they cost the one thread that applies them. Where very many items lie between
 * the neighbours of a new one, Yjs passes them all, up to half a second for an update of twenty bytes. Honest people
 * who come back from a long time offline send such updates, seldom; so they are taken, in their session's order, and
 * debited to the person and to the instance. Who has used up their share waits; who would wait for too long, and what
 * is beyond all bounds, is refused as `update-costly`.
 */
export class Walks {
  private readonly options: WalksOptions;
  private readonly costly: Partial<GuardLimits>;
  private readonly people: KeyedBuckets;
  private readonly instance: TokenBucket;

  constructor(options: WalksOptions) {
    const { clock, share, guardLimits } = options;
    const rate = share * 1_000 * PER_MILLISECOND;
    this.options = options;
    this.costly = { ...guardLimits, ...costlyLimits };
    this.people = new KeyedBuckets({ rate, burst: rate * BURST_SECONDS, clock });
    this.instance = new TokenBucket({
      rate: rate * PEOPLE,
      burst: rate * PEOPLE * BURST_SECONDS,
      clock,
    });
  }

  /**
   * @returns `undefined` when it has to wait: see {@link later}.
   * @throws WeftError `update-malformed`, `update-costly`
   */
  analyze(work: Work): UpdateAnalysis | undefined {
    const cheap = this.analyzeCheaply(work);
    if (cheap && cheap.walk <= FREE) return cheap;
    if (!this.admit(work.principal)) return undefined;
    const analysis = cheap ?? analyzeUpdate(work.document, work.update, this.costly);
    this.debit(work.principal, analysis.walk);
    return analysis;
  }

  /**
   * Analyses it as soon as the person may have that, and calls `next` with the result before anything else can change
   * the document. `update` must not change meanwhile.
   *
   * @throws WeftError `update-malformed`, `update-costly`, and what `next` throws
   */
  async later<T>(work: Work, next: (analysis: UpdateAnalysis) => T | Promise<T>): Promise<T> {
    const { clock, patience } = this.options;
    const deadline = clock.now() + patience;
    for (;;) {
      const analysis = this.analyze(work);
      if (analysis) return next(analysis);
      if (clock.now() >= deadline) throw new WeftError('update-costly', { detail: USED_UP });
      await delay(POLL);
    }
  }

  private analyzeCheaply({ document, update }: Work): UpdateAnalysis | undefined {
    try {
      return analyzeUpdate(document, update, this.options.guardLimits);
    } catch (error) {
      if (error instanceof WeftError && error.code === 'update-costly') return undefined;
      throw error;
    }
  }

  /** The last update may use more than is left; that is paid back first. */
  private admit(principal: Principal): boolean {
    return this.instance.take() && this.people.admit(keyOf(principal));
  }

  private debit(principal: Principal, walk: number): void {
    this.instance.debit(walk);
    this.people.debit(keyOf(principal), walk);
  }
}

/** Whether the same update may be taken another time; else it never is. */
export function isForLackOfShare(refusal: unknown): boolean {
  return refusal instanceof WeftError && refusal.code === 'update-costly' && refusal.detail === USED_UP;
}

function keyOf({ tenant, user }: Principal): string {
  return JSON.stringify([tenant, user]);
}
