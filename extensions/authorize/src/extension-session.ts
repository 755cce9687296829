import type { Clock, DocumentKey, Principal } from '@weft/common';
import type { Access, Gate } from './gate.ts';

export interface ExtensionSessionOptions {
  readonly gate: Gate;
  readonly clock: Clock;
  readonly principal: Principal;
  readonly key: DocumentKey;
}

/** One person in one document, and what they may do there, kept until it is known to be out of date. */
export class ExtensionSession {
  readonly key: DocumentKey;
  principal: Principal;
  private readonly gate: Gate;
  private readonly clock: Clock;
  private known: Access | undefined;
  private changes = 0;

  constructor({ gate, clock, principal, key }: ExtensionSessionOptions) {
    this.gate = gate;
    this.clock = clock;
    this.principal = principal;
    this.key = key;
  }

  get policyRev(): number {
    return this.known?.policyRev ?? -1;
  }

  /** The next decision asks again. */
  invalidate(): void {
    this.changes += 1;
    this.known = undefined;
  }

  /** @throws WeftError `permissions-unavailable` */
  async access(): Promise<Access> {
    const { known } = this;
    if (known && (known.expiresAt === undefined || known.expiresAt > this.clock.now())) return known;
    for (;;) {
      const changes = this.changes;
      const access = await this.gate.resolve(this.principal, this.key);
      // What changed while the question was under way may not be in its answer.
      if (changes === this.changes) return (this.known = access);
    }
  }
}
