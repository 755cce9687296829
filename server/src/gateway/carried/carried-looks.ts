import type { LiveDocument } from '../document/live-document.ts';

/** Milliseconds. Rows that come together are one reason to look. */
const SOON = 20;
/** A look takes at most one part in so many of the time, however much waits and however fast others write. */
const SHARE = 10;

/** When the work that waits in a document is looked at: one look at a time, and soon after something has come. */
export class CarriedLooks {
  /** Must not reject. */
  private readonly look: (document: LiveDocument) => Promise<void>;
  private readonly looking = new Set<LiveDocument>();
  private readonly due = new Set<LiveDocument>();
  /** Milliseconds that the last look took. */
  private readonly took = new WeakMap<LiveDocument, number>();

  constructor(look: (document: LiveDocument) => Promise<void>) {
    this.look = look;
  }

  /** Unless somebody looks already. */
  now(document: LiveDocument): void {
    if (this.looking.has(document)) return;
    this.looking.add(document);
    const began = performance.now();
    void this.look(document).finally(() => {
      this.looking.delete(document);
      this.took.set(document, performance.now() - began);
    });
  }

  soon(document: LiveDocument): void {
    if (this.due.has(document)) return;
    this.due.add(document);
    const pause = Math.max(SOON, (this.took.get(document) ?? 0) * SHARE);
    setTimeout(() => {
      this.due.delete(document);
      // What came while somebody looked may have been overlooked.
      if (this.looking.has(document)) this.soon(document);
      else this.now(document);
    }, pause).unref();
  }
}
