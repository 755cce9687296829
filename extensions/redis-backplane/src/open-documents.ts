import type { DocumentKey } from '@weft/common';
import type { Numbers } from './authorship.ts';
import { DocumentChannel, type DocumentHandlers } from './document-channel.ts';

/** The documents that are open in this process, by whatever names them. */
export class OpenDocuments {
  /** Begins the names of their channels; the key follows. */
  private readonly prefix: string;
  private readonly keys = new Map<DocumentKey, DocumentChannel>();
  /** Letters name the number. None is given twice, so that a late letter is not taken for another document's. */
  private readonly numbers = new Map<number, DocumentChannel>();
  private lastNumber = 0;
  private readonly authorships: Numbers = { last: 0 };

  constructor(prefix: string) {
    this.prefix = prefix;
  }

  add(key: DocumentKey, handlers: DocumentHandlers): DocumentChannel {
    const before = this.keys.get(key);
    if (before) this.remove(before);
    const document = new DocumentChannel({
      key,
      channel: this.prefix + key,
      number: ++this.lastNumber,
      handlers,
      authorships: this.authorships,
    });
    this.keys.set(key, document);
    this.numbers.set(document.number, document);
    return document;
  }

  remove(document: DocumentChannel): void {
    this.keys.delete(document.key);
    this.numbers.delete(document.number);
  }

  /** Whether it has not been removed, nor opened again since. */
  has(document: DocumentChannel): boolean {
    return this.numbers.has(document.number);
  }

  get(key: DocumentKey): DocumentChannel | undefined {
    return this.keys.get(key);
  }

  byChannel(channel: string): DocumentChannel | undefined {
    if (!channel.startsWith(this.prefix)) return undefined;
    return this.keys.get(channel.slice(this.prefix.length) as DocumentKey);
  }

  byNumber(number: number): DocumentChannel | undefined {
    return this.numbers.get(number);
  }

  all(): DocumentChannel[] {
    return [...this.keys.values()];
  }
}
