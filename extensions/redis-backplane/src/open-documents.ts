import type { DocumentKey } from '@weft/common';
import type { Numbers } from './authorship.ts';
import { DocumentChannel, type DocumentHandlers } from './document-channel.ts';

/** The documents that are open in this process, by whatever names them. */
export class OpenDocuments {
  private readonly channelOf: (key: DocumentKey) => string;
  /** What arrives for everybody names the channel. */
  private readonly channels = new Map<string, DocumentChannel>();
  /** What is sent names the key: a channel's name would have to be put together for each update. */
  private readonly keys = new Map<DocumentKey, DocumentChannel>();
  /** Letters name the number. None is given twice, so that a late letter is not taken for another document's. */
  private readonly numbers = new Map<number, DocumentChannel>();
  private lastNumber = 0;
  private readonly authorships: Numbers = { last: 0 };

  constructor(channelOf: (key: DocumentKey) => string) {
    this.channelOf = channelOf;
  }

  add(key: DocumentKey, handlers: DocumentHandlers): DocumentChannel {
    const before = this.keys.get(key);
    if (before) this.remove(before);
    const document = new DocumentChannel({
      key,
      channel: this.channelOf(key),
      number: ++this.lastNumber,
      handlers,
      authorships: this.authorships,
    });
    this.channels.set(document.channel, document);
    this.keys.set(key, document);
    this.numbers.set(document.number, document);
    return document;
  }

  remove(document: DocumentChannel): void {
    this.channels.delete(document.channel);
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
    return this.channels.get(channel);
  }

  byNumber(number: number): DocumentChannel | undefined {
    return this.numbers.get(number);
  }

  all(): DocumentChannel[] {
    return [...this.channels.values()];
  }
}
