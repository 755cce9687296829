import type { Cursor, DocumentKey, CommittedUpdate } from '@weft/common';
import { KnownAuthors, ToldAuthors, type Numbers } from './authorship.ts';
import { AwarenessTick } from './awareness-tick.ts';

/** What arrives for an open document. A handler that throws is logged, and nothing else happens. */
export interface DocumentHandlers {
  /** Rows that another process has committed: consecutive, of one epoch. */
  updates(rows: readonly CommittedUpdate[]): void;
  /** y-protocols awareness update. */
  awareness(update: Uint8Array): void;
  stateless(payload: string): void;
  /** Another process says how far it is. */
  hint(cursor: Cursor): void;
  /** How far this process is; `undefined` while it is loading. */
  position(): Cursor | undefined;
  /** Another process has the document open, as was not known, or asks: publish who is present here. */
  peerJoined(): void;
}

export interface DocumentChannelOptions {
  readonly key: DocumentKey;
  readonly channel: string;
  readonly number: number;
  readonly handlers: DocumentHandlers;
  /** Those that letters of this process have given to authorships. */
  readonly authorships: Numbers;
}

/** So many times as long as a peer may be silent there may be letters only. */
const LETTERS_ONLY = 10;
/** Milliseconds. Only where Redis cannot say how many listen. */
const PROBE_AFTER = 30_000;
const FORGET_AFTER = 60_000;

interface Peer {
  readonly sender: string;
  /** Milliseconds of its last message. */
  heardAt: number;
  /** By which letters to it name the document; `undefined` before its hello. */
  number: number | undefined;
  /** What its letters have defined. */
  readonly authors: KnownAuthors;
}

/** The one other process that has a document open. */
export interface OnlyPeer {
  readonly sender: string;
  readonly number: number;
}

/** One document that is open here, and who else has it open. */
export class DocumentChannel {
  readonly key: DocumentKey;
  readonly channel: string;
  /** By which letters to this process name the document. */
  readonly number: number;
  readonly handlers: DocumentHandlers;
  readonly awareness = new AwarenessTick();
  /** What letters have told the only peer. */
  told: ToldAuthors;
  /** When something was last sent to everybody. */
  publishedAt = -Infinity;
  private readonly peers = new Map<string, Peer>();
  private readonly authorships: Numbers;
  private probedAt = 0;

  constructor({ key, channel, number, handlers, authorships }: DocumentChannelOptions) {
    this.key = key;
    this.channel = channel;
    this.number = number;
    this.handlers = handlers;
    this.authorships = authorships;
    this.told = new ToldAuthors(authorships);
  }

  /** Whether anybody would hear it. Wrongly no costs latency: that peer finds out from the log and says hello. */
  get hasPeers(): boolean {
    return this.peers.size > 0;
  }

  /** Returns whether it was not known. */
  heard(sender: string, now: number): boolean {
    const known = this.peers.get(sender);
    if (known) known.heardAt = now;
    else this.peers.set(sender, { sender, heardAt: now, number: undefined, authors: new KnownAuthors() });
    return known === undefined;
  }

  /** It has said where it is reached, and remembers nothing of what it was told before. */
  greeted(sender: string, number: number): void {
    const peer = this.peers.get(sender);
    if (peer) peer.number = number;
    this.told = new ToldAuthors(this.authorships);
  }

  gone(sender: string): void {
    this.peers.delete(sender);
  }

  /** What the letters of a sender have defined. */
  authorsOf(sender: string): KnownAuthors | undefined {
    return this.peers.get(sender)?.authors;
  }

  /**
   * Who is to get letters, `undefined` for nobody. Whoever has been silent may be gone, or may not be the only one: then
   * everybody is sent something, and Redis says how many they are. So it is now and then anyway, for whoever is there
   * and was not heard when they said hello.
   *
   * @param within milliseconds that it may have been silent, since everybody was last sent something
   */
  onlyPeer(now: number, within: number): OnlyPeer | undefined {
    const [peer] = this.peers.values();
    if (peer?.number === undefined || this.peers.size > 1) return undefined;
    if (now - Math.max(peer.heardAt, this.publishedAt) > within) return undefined;
    if (now - this.publishedAt > within * LETTERS_ONLY) return undefined;
    return { sender: peer.sender, number: peer.number };
  }

  /**
   * Redis delivered a message of that moment to nobody else. Who has said something since then came later.
   */
  nobodyHeard(sentAt: number): void {
    for (const { sender, heardAt } of this.peers.values()) if (heardAt < sentAt) this.peers.delete(sender);
  }

  /** Forgets who has been silent for long; returns whether to ask who is there. */
  shouldProbe(now: number): boolean {
    let oldest = now;
    for (const { sender, heardAt } of this.peers.values()) {
      if (now - heardAt > FORGET_AFTER && this.probedAt > heardAt) this.peers.delete(sender);
      else oldest = Math.min(oldest, heardAt);
    }
    if (now - Math.max(oldest, this.probedAt) < PROBE_AFTER) return false;
    this.probedAt = now;
    return true;
  }
}
