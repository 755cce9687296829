import type { PresenceStore } from './presence-store.ts';
import type { PresenceEntry } from './registry.ts';

/** Milliseconds after the end of a lease: Redis counts it as over only then. */
const AFTER_EXPIRY = 5;

export interface ReaperOptions {
  /** Nothing while this instance has no lease: only the living may say who is dead. */
  readonly mayReap: () => { readonly store: PresenceStore; readonly incarnation: string } | undefined;
  /** Whose last connection ended with an instance that died. */
  readonly left: (entry: PresenceEntry) => void;
}

/** Removes what instances that died have left behind. Of all who try, the first does. */
export class Reaper {
  private readonly options: ReaperOptions;
  private timer: NodeJS.Timeout | undefined;
  private reaping: Promise<void> | undefined;

  constructor(options: ReaperOptions) {
    this.options = options;
  }

  /** @param milliseconds until the first lease of another instance ends, unless it is renewed; none: nobody's does. */
  due(milliseconds: number | undefined): void {
    clearTimeout(this.timer);
    if (milliseconds === undefined) return;
    this.timer = setTimeout(() => this.reap(), milliseconds + AFTER_EXPIRY);
    this.timer.unref();
  }

  private reap(): void {
    this.reaping ??= this.reapAll()
      .catch(() => undefined)
      .finally(() => (this.reaping = undefined));
  }

  private async reapAll(): Promise<void> {
    for (let more = true; more;) {
      const reaping = this.options.mayReap();
      if (!reaping) return;
      const batch = await reaping.store.reap(reaping.incarnation);
      more = batch.more;
      for (const entry of batch.left) this.options.left(entry);
    }
  }

  /** Resolves when nothing is being removed any more. */
  async stop(): Promise<void> {
    clearTimeout(this.timer);
    await this.reaping;
  }
}
