import type { Logger } from '@weft/common';
import type { DocumentChannel } from './document-channel.ts';
import { decodeFrame, isFrom, openLetter, senderOf, type Frame, type UnreadRows } from './frame.ts';
import type { Meters } from './meters.ts';
import type { OpenDocuments } from './open-documents.ts';

export interface ReceivedOptions {
  readonly logger: Logger;
  readonly meters: Pick<Meters, 'dropped' | 'received'>;
  readonly maxMessageBytes: number;
  readonly documents: OpenDocuments;
  /** The channel of letters to this process. */
  readonly inbox: string;
  /** Of what this process publishes, which it receives too. */
  readonly sender: Uint8Array;
  /** Something of its own has come back. */
  readonly heardOwn: () => void;
  /** Says how far this process is in a document. */
  readonly answer: (document: DocumentChannel) => void;
}

/** What arrives through Redis: read strictly, and handed to the document that it is about. Never throws. */
export class Received {
  private readonly options: ReceivedOptions;

  constructor(options: ReceivedOptions) {
    this.options = options;
  }

  take(channel: string, message: Buffer): void {
    const { maxMessageBytes, inbox, documents, sender } = this.options;
    if (message.length > maxMessageBytes) return this.drop('too-large');
    if (channel === inbox) return this.takeLetter(message);
    const document = documents.byChannel(channel);
    if (!document) return;
    if (isFrom(sender, message)) return this.options.heardOwn();
    this.takeFrame(document, message, decodeFrame(document.key, message));
  }

  private takeLetter(message: Buffer): void {
    const letter = openLetter(message);
    if (!letter) return this.drop('malformed');
    const document = this.options.documents.byNumber(letter.number);
    // It was for a document that is no longer open.
    if (!document) return;
    const authors = document.authorsOf(senderOf(letter.frame));
    this.takeFrame(document, letter.frame, decodeFrame(document.key, letter.frame, authors));
  }

  private takeFrame(
    document: DocumentChannel,
    bytes: Uint8Array,
    frame: Frame | UnreadRows | undefined,
  ): void {
    if (!frame) return this.drop('malformed');
    this.options.meters.received.inc({ kind: frame.kind });
    const sender = senderOf(bytes);
    if (frame.kind === 'bye') return document.gone(sender);
    const news = document.heard(sender, performance.now());
    if (frame.kind === 'hello') document.greeted(sender, frame.number);
    try {
      this.hand(document, frame);
      // What was present here before the peer was known has not been published.
      if (news || (frame.kind === 'hello' && frame.wantsReply)) document.handlers.peerJoined();
    } catch (error) {
      this.drop('handler');
      this.options.logger.error({ err: error, document: document.key }, 'A message could not be handled');
    }
  }

  private hand(document: DocumentChannel, frame: Exclude<Frame | UnreadRows, { kind: 'bye' }>): void {
    const { handlers } = document;
    switch (frame.kind) {
      case 'updates':
        handlers.updates(frame.rows);
        if (frame.awareness) handlers.awareness(frame.awareness);
        return;
      case 'unread':
        missed(document, frame);
        if (frame.awareness) handlers.awareness(frame.awareness);
        return;
      case 'awareness':
        return handlers.awareness(frame.update);
      case 'stateless':
        return handlers.stateless(frame.payload);
      case 'hello':
        if (frame.wantsReply) this.options.answer(document);
        if (frame.cursor) handlers.hint(frame.cursor);
    }
  }

  private drop(reason: 'too-large' | 'malformed' | 'handler'): void {
    this.options.meters.dropped.inc({ reason });
  }
}

/** The log has the rows. Having had to read them, this process says hello, and is told everything anew. */
function missed({ handlers }: DocumentChannel, { seq }: UnreadRows): void {
  const position = handlers.position();
  if (position) handlers.hint({ epoch: position.epoch, seq });
}
