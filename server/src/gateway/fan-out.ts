import type { Clock } from '@weft/common';
import type { FrameBody } from './frames.ts';
import { Window, type Cursor, type Item } from './window.ts';

/** One who receives what happens in a document. */
export interface Receiver {
  /** The encoded address its frames carry; receivers of equal address share bytes. */
  readonly address: Uint8Array;
  /** Distinguishes addresses without comparing bytes. */
  readonly addressKey: string;
  /** Queues a whole frame, to be written at {@link flush}. */
  enqueue(frame: Buffer): void;
  /** Writes everything that was queued, in one system call. */
  flush(): void;
}

export interface FanOutOptions {
  readonly receivers: ReadonlySet<Receiver>;
  readonly clock: Clock;
  /** The longest that anything waits to be written together with what follows, in milliseconds. */
  readonly maxWindow: number;
  /** Milliseconds of window per receiver: joining frames pays only when many sockets are written to. */
  readonly windowPerReceiver: number;
}

/**
 * Cursors alone may wait longer than edits. In a document of 500 people who all move once a second everybody is
 * told 500 times a second; in windows of 100 ms that is ten writes to each instead of hundreds.
 */
const CURSOR_WINDOW = { max: 100, perReceiver: 0.2 };

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
  /** The newest cursor of each Yjs client; they go out in one frame. */
  private cursors = new Map<number, Cursor>();
  /** Receivers with something of their own waiting (acknowledgements). */
  private readonly waiting = new Set<Receiver>();
  private timer: NodeJS.Timeout | undefined;
  private cursorTimer: NodeJS.Timeout | undefined;
  private immediate: NodeJS.Immediate | undefined;
  /** Events of the recent past, each worth less the older it is. */
  private recent = 0;
  private countedAt = 0;
  /** Milliseconds that writing to all receivers has taken lately. */
  private writing = 0;

  constructor(options: FanOutOptions) {
    this.options = options;
  }

  /** To everybody but `from`, who has it already. */
  broadcast(body: FrameBody, from?: Receiver): void {
    this.add({ body, from });
  }

  /** A Yjs update, to everybody; to `from`, who has it already, only where leaving it out costs more. */
  broadcastUpdate(update: Uint8Array, from?: Receiver): void {
    this.add({ update, from });
  }

  /** To everybody but `from`, which is never sent its own; a newer one of the same client replaces it. */
  showCursor(client: number, cursor: Cursor): void {
    this.cursors.set(client, cursor);
    if (this.immediate || this.timer || this.cursorTimer) return;
    const window = this.window(CURSOR_WINDOW.max, CURSOR_WINDOW.perReceiver);
    if (window < 1) this.flushAtOnce();
    else this.cursorTimer = setTimeout(this.flush, window);
  }

  /** Presence that must not be overtaken by cursors that came before it. */
  broadcastAwareness(body: FrameBody, from?: Receiver): void {
    if (this.cursors.size > 0) this.flush();
    this.broadcast(body, from);
  }

  /** Writes what `receiver` has queued: with the open window, or at once. */
  flushSoon(receiver: Receiver): void {
    this.waiting.add(receiver);
    const most = this.waiting.size * 2 > this.options.receivers.size;
    if (most || !this.timer) this.flushAtOnce();
  }

  private add(item: Item): void {
    this.items.push(item);
    this.count();
    if (this.immediate || this.timer) return;
    const window = this.window(this.options.maxWindow, this.options.windowPerReceiver);
    const saved = (this.recent / RATE_MEMORY) * window * this.options.receivers.size;
    if (window < 1 || saved < WRITES_PER_WAKE) this.flushAtOnce();
    else this.timer = setTimeout(this.flush, Math.max(window, this.busyWindow));
  }

  private get busyWindow(): number {
    return Math.min(BUSY_WINDOW.max, this.writing * BUSY_WINDOW.perWrite);
  }

  private count(): void {
    const now = this.options.clock.now();
    this.recent = this.recent * Math.exp(Math.min(0, this.countedAt - now) / RATE_MEMORY) + 1;
    this.countedAt = now;
  }

  /** At the end of this turn of the event loop, which may still bring more. */
  private flushAtOnce(): void {
    this.immediate ??= setImmediate(this.flush);
  }

  private window(max: number, perReceiver: number): number {
    return Math.floor(Math.min(max, this.options.receivers.size * perReceiver));
  }

  private readonly flush = (): void => {
    this.disarm();
    const { items, cursors } = this;
    if (items.length > 0 || cursors.size > 0) {
      this.items = [];
      this.cursors = new Map();
      this.deliver(new Window(items, [...cursors.values()]));
    }
    for (const receiver of this.waiting) receiver.flush();
    this.waiting.clear();
  };

  private disarm(): void {
    clearTimeout(this.timer);
    clearTimeout(this.cursorTimer);
    clearImmediate(this.immediate);
    this.timer = this.cursorTimer = this.immediate = undefined;
  }

  private deliver(window: Window): void {
    const startedAt = performance.now();
    for (const receiver of this.options.receivers) {
      const frame = window.frameFor(receiver);
      if (frame) receiver.enqueue(frame);
      receiver.flush();
    }
    this.writing = (this.writing + performance.now() - startedAt) / 2;
  }
}
