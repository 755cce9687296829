import * as Y from 'yjs';
import type { TextShape } from './showable.ts';

/**
 * A copy that follows a document, without what the editor cannot show. To be read only: it is connected to nothing, so
 * that nothing is deleted from the document itself. Its items have the ids of the document's: the places of comments and
 * carets hold in both.
 */
export class ReadableCopy {
  readonly doc = new Y.Doc();
  readonly #source: Y.Doc;
  readonly #shape: TextShape;

  constructor(source: Y.Doc, shape: TextShape) {
    this.#source = source;
    this.#shape = shape;
    this.#take(Y.encodeStateAsUpdate(source));
  }

  /** @returns what ends it */
  readonly follow = (): (() => void) => {
    const take = (update: Uint8Array): void => this.#take(update);
    take(Y.encodeStateAsUpdate(this.#source, Y.encodeStateVector(this.doc)));
    this.#source.on('update', take);
    return () => this.#source.off('update', take);
  };

  /** One transaction: whoever observes the copy never sees what is left out of it. */
  #take(update: Uint8Array): void {
    this.doc.transact(() => {
      Y.applyUpdate(this.doc, update);
      this.#shape.clear(this.doc);
    });
    // The caret of whoever reads is not shown to themselves. Yjs takes another id where one's own edits arrive.
    this.doc.clientID = this.#source.clientID;
  }
}
