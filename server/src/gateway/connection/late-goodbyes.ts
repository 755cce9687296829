const NONE: readonly string[] = [];

/**
 * The stock provider keeps the goodbye of a document that is closed while the connection is broken, and says it on the
 * next one, after whoever has opened the document anew has sent their token. Nothing tells it from a goodbye of theirs,
 * and they would wait for ever. So whoever may still be there after a goodbye is asked for their token.
 *
 * Who opens a document sends that, and asks for the document right after it. Who sends the token and has not asked for
 * the document has it open already, and the goodbye was not theirs: only a new connection makes the stock provider
 * begin anew.
 */
export class LateGoodbyes {
  private readonly max: number;
  /** Addresses, the newest last. As a rule nobody is there, and nobody answers. */
  private asked = NONE;

  /** @param max questions remembered; the oldest go first. */
  constructor(max: number) {
    this.max = max;
  }

  /** Whoever is there under the address has been asked for their token. */
  ask(address: string): void {
    this.settle(address);
    this.asked = this.asked.concat(address).slice(-this.max);
  }

  isAsked(address: string): boolean {
    return this.asked.includes(address);
  }

  /** It is known who is there: somebody who asks for the document. */
  settle(address: string): void {
    if (this.isAsked(address)) this.asked = this.asked.filter((other) => other !== address);
  }
}
