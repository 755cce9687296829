import { awarenessEntries } from '@weft/common';
import type { Receiver } from './receiver.ts';
import { Window, type Item, type Shown } from './window.ts';

/** A Yjs update, and when it was made: milliseconds of the gateway's steady clock. */
export interface Change extends Item {
  readonly at: number;
}

export interface FanOutOptions {
  readonly receivers: ReadonlySet<Receiver>;
  /** The longest that anything waits to be written together with what follows, in milliseconds. */
  readonly maxWindow: number;
  /** Milliseconds of window per receiver: joining frames pays only when many sockets are written to. */
  readonly windowPerReceiver: number;
}

/**
 * Presence may wait longer than edits, milliseconds. What it costs are the writes, and these windows bound them: a
 * thousand a second, some 4 % of a core, however many people move how often. After a quiet time nobody waits for
 * longer than a share of the window; where it would be short, nobody waits at all.
 */
const PRESENCE_WINDOW = { max: 500, perReceiver: 1, least: 5, afterQuiet: 0.2 };

/**
 * Sockets that presence is written to before whatever else waits has its turn: some 5 ms where hundreds are present,
 * whose tick would hold up every document of the process for 40.
 */
const RECEIVERS_PER_TURN = 64;

/**
 * A timer that wakes the process costs as much as so many writes to sockets (0.2 ms against 0.03). A window is opened
 * only where it can be expected to save more of them.
 */
const WRITES_PER_WAKE = 8;
/**
 * Of the time, writing to a document's sessions takes a third at most: where it takes long, windows get longer, up to
 * this many milliseconds, and what is in them fewer writes.
 */
const BUSY_WINDOW = { max: 20, perWrite: 2 };
/** Milliseconds over which the rate of events is averaged. */
const RATE_MEMORY = 250;

/**
 * Sends what happens in one document to its sessions. Under load everything of a short window is written to a socket
 * in one piece: with 50 people in a document half of a server's time is the system call per socket and change, and
 * joining the frames of a few milliseconds halves it. Without load there is nothing to join, and nobody waits.
 * Acknowledgements ride along with a window that is open; when most of the receivers wait for one, they close it.
 */
export class FanOut {
  private readonly options: FanOutOptions;
  private items: Item[] = [];
  /** The newest of each Yjs client; they go out in one frame. */
  private presence = new Map<number, Shown>();
  /** Receivers with something of their own waiting (acknowledgements). */
  private readonly waiting = new Set<Receiver>();
  private timer: NodeJS.Timeout | undefined;
  private presenceTimer: NodeJS.Timeout | undefined;
  private presenceDue = false;
  private presenceSentAt = -Infinity;
  private immediate: NodeJS.Immediate | undefined;
  /** Events of the recent past, each worth less the older it is. */
  private recent = 0;
  private countedAt = 0;
  /** Milliseconds that writing to all receivers has taken lately. */
  private writing = 0;

  constructor(options: FanOutOptions) {
    this.options = options;
  }

  /** A Yjs update, to everybody; to whom it is from, who has it already, only where leaving it out costs more. */
  broadcastUpdate(change: Change): void {
    this.items.push(change);
    this.count(change.at);
    if (this.immediate || this.timer) return;
    const window = this.window(this.options.maxWindow, this.options.windowPerReceiver);
    const saved = (this.recent / RATE_MEMORY) * window * this.options.receivers.size;
    if (window < 1 || saved < WRITES_PER_WAKE) this.immediate = setImmediate(this.flushNextTurn);
    else this.timer = setTimeout(this.flush, Math.max(window, this.busyWindow));
  }

  /**
   * An awareness update, to everybody but `from`, which is never sent its own. Of each client only the newest entry is
   * sent.
   */
  showPresence(update: Uint8Array, from?: Receiver): void {
    for (const [client, entry] of awarenessEntries(update)) this.presence.set(client, { entry, from });
    // Edits that wait take it along.
    if (this.presenceDue || this.presenceTimer || this.items.length > 0) return;
    const { max, perReceiver, least, afterQuiet } = PRESENCE_WINDOW;
    const window = this.window(max, perReceiver);
    if (window < least) {
      this.presenceDue = true;
      return this.flushAtOnce();
    }
    const rest = this.presenceSentAt + window - performance.now();
    this.presenceTimer = setTimeout(this.presenceTick, Math.max(rest, window * afterQuiet));
  }

  private readonly presenceTick = (): void => {
    this.presenceDue = true;
    this.flush();
  };

  /** Writes what `receiver` has queued: with the open window, or at once. */
  flushSoon(receiver: Receiver): void {
    this.waiting.add(receiver);
    const most = this.waiting.size * 2 > this.options.receivers.size;
    if (most || !this.timer) this.flushAtOnce();
  }

  private get busyWindow(): number {
    return Math.min(BUSY_WINDOW.max, this.writing * BUSY_WINDOW.perWrite);
  }

  private count(now: number): void {
    this.recent = this.recent * Math.exp(Math.min(0, this.countedAt - now) / RATE_MEMORY) + 1;
    this.countedAt = now;
  }

  /**
   * An editor sends the cursor right after the edit that moved it: it comes with the edit, or arrives while that is
   * handled, and the next turn reads it. Written together they are a third fewer writes where ten people type at
   * different moments.
   */
  private readonly flushNextTurn = (): void => {
    if (this.authorsHaveMoved) this.flush();
    else this.immediate = setImmediate(this.flush);
  };

  private get authorsHaveMoved(): boolean {
    // What waits for its own tick is from before the edits.
    if (this.presenceTimer) return false;
    const moved = new Set<Receiver | undefined>();
    for (const { from } of this.presence.values()) if (from) moved.add(from);
    return this.items.every(({ from }) => moved.has(from));
  }

  /** At the end of this turn of the event loop, which may still bring more. */
  private flushAtOnce(): void {
    this.immediate ??= setImmediate(this.flush);
  }

  private window(max: number, perReceiver: number): number {
    return Math.floor(Math.min(max, this.options.receivers.size * perReceiver));
  }

  private readonly flush = (): void => {
    clearTimeout(this.timer);
    clearImmediate(this.immediate);
    this.timer = this.immediate = undefined;
    const { items } = this;
    this.items = [];
    // With edits it costs no write; alone it waits for its own tick.
    const presence = items.length > 0 || this.presenceDue ? this.takePresence() : [];
    if (items.length > 0) this.deliver(new Window(items, presence));
    else if (presence.length > 0)
      this.deliverInTurns(new Window(items, presence), [...this.options.receivers]);
    for (const receiver of this.waiting) receiver.flush();
    this.waiting.clear();
  };

  private takePresence(): Shown[] {
    clearTimeout(this.presenceTimer);
    this.presenceTimer = undefined;
    this.presenceDue = false;
    const presence = [...this.presence.values()];
    if (presence.length === 0) return presence;
    this.presence = new Map();
    this.presenceSentAt = performance.now();
    return presence;
  }

  private deliver(window: Window): void {
    const startedAt = performance.now();
    for (const receiver of this.options.receivers) send(window, receiver);
    this.writing = (this.writing + performance.now() - startedAt) / 2;
  }

  /** What overtakes it meanwhile is newer by its clocks, and whatever is older is then ignored by the clients. */
  private deliverInTurns(window: Window, receivers: readonly Receiver[]): void {
    for (const receiver of receivers.slice(0, RECEIVERS_PER_TURN)) {
      if (this.options.receivers.has(receiver)) send(window, receiver);
    }
    const rest = receivers.slice(RECEIVERS_PER_TURN);
    if (rest.length > 0) setImmediate(() => this.deliverInTurns(window, rest));
  }
}

function send(window: Window, receiver: Receiver): void {
  for (const part of window.partsFor(receiver)) receiver.enqueue(part);
  receiver.flush();
}
