/** What is known of a connection's other end. */
export interface Peer {
  /** When the last whole message or answer came, milliseconds since 1970. */
  readonly lastReceivedAt: number;
  /** Of whole messages and of parts of one. */
  readonly bytesRead: number;
  /** Asks for a sign of life. */
  ping(): void;
  /** There was one. */
  heard(): void;
}

export interface SilentPeersOptions {
  /** Milliseconds of silence after which a peer is asked. It has half of that to answer. */
  readonly heartbeat: number;
  /** Milliseconds between two looks at a peer. */
  readonly interval: number;
}

interface Asked {
  readonly at: number;
  readonly bytesRead: number;
}

/**
 * Finds peers that are half-open: a crashed machine or a pulled cable sends no FIN. Providers that show presence say
 * something every 15 to 18 s; only who is silent for longer is asked. The time to answer is long enough for a program
 * that is busy; a page's browser answers for it, whatever the page does.
 */
export class SilentPeers {
  private readonly silence: number;
  private readonly patience: number;
  private readonly asked = new WeakMap<Peer, Asked>();

  constructor({ heartbeat, interval }: SilentPeersOptions) {
    // What would be over before the next look is over now: then the bound holds.
    this.silence = heartbeat - interval;
    this.patience = heartbeat / 2 - interval;
  }

  /** To be called at every interval, after what has come meanwhile was read: whether the peer is gone. */
  isGone(peer: Peer, now: number): boolean {
    if (now - peer.lastReceivedAt <= this.silence) return false;
    const asked = this.asked.get(peer);
    if (!asked || peer.lastReceivedAt >= asked.at) {
      this.ask(peer, now);
      return false;
    }
    if (now - asked.at <= this.patience) return false;
    // The answer to a ping cannot overtake the long message that is on its way.
    if (peer.bytesRead === asked.bytesRead) return true;
    peer.heard();
    return false;
  }

  private ask(peer: Peer, now: number): void {
    this.asked.set(peer, { at: now, bytesRead: peer.bytesRead });
    peer.ping();
  }
}
