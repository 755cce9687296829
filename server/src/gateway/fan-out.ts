import type { FrameBody } from './frames.ts';
import { joinAwareness, webSocketFrame } from './frames.ts';

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

interface Item {
  readonly body: FrameBody;
  /** Whoever caused it has it already. */
  readonly from: Receiver | undefined;
}

interface Cursor {
  /** An awareness update of one client. */
  readonly update: Uint8Array;
  readonly from: Receiver;
}

export interface FanOutOptions {
  readonly receivers: ReadonlySet<Receiver>;
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
 * Sends what happens in one document to its sessions. Everything of a short window is written to a socket in one
 * piece: with 50 people in a document half of a server's time is the system call per socket and change, and
 * joining the frames of a few milliseconds halves it. The window grows with the number of receivers, so that two
 * people wait for nothing. Receivers that caused nothing in the window share one buffer.
 */
export class FanOut {
  private readonly options: FanOutOptions;
  private items: Item[] = [];
  /** The newest cursor of each Yjs client; they go out in one frame. */
  private cursors = new Map<number, Cursor>();
  /** Receivers with something of their own waiting (acknowledgements): they ride along. */
  private readonly waiting = new Set<Receiver>();
  private scheduled = false;
  private cursorTimer: NodeJS.Timeout | undefined;

  constructor(options: FanOutOptions) {
    this.options = options;
  }

  /** To everybody but `from`. */
  broadcast(body: FrameBody, from?: Receiver): void {
    this.items.push({ body, from });
    this.schedule();
  }

  /** To everybody but `from`, which is never sent its own; a newer one of the same client replaces it. */
  showCursor(client: number, cursor: Cursor): void {
    this.cursors.set(client, cursor);
    if (this.scheduled || this.cursorTimer) return;
    const window = this.window(CURSOR_WINDOW.max, CURSOR_WINDOW.perReceiver);
    if (window < 1) this.schedule();
    else this.cursorTimer = setTimeout(this.flush, window);
  }

  /** Presence that must not be overtaken by cursors that came before it. */
  broadcastAwareness(body: FrameBody, from?: Receiver): void {
    if (this.cursors.size > 0) this.flush();
    this.broadcast(body, from);
  }

  /** Writes what `receiver` has queued with the next window. */
  flushSoon(receiver: Receiver): void {
    this.waiting.add(receiver);
    this.schedule();
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    const window = this.window(this.options.maxWindow, this.options.windowPerReceiver);
    // A timer takes at least 1 ms; below that the end of this turn of the event loop is the window.
    if (window < 1) setImmediate(this.flush);
    else setTimeout(this.flush, window);
  }

  private window(max: number, perReceiver: number): number {
    return Math.floor(Math.min(max, this.options.receivers.size * perReceiver));
  }

  private readonly flush = (): void => {
    this.scheduled = false;
    clearTimeout(this.cursorTimer);
    this.cursorTimer = undefined;
    const { items, cursors } = this;
    if (items.length > 0 || cursors.size > 0) {
      this.items = [];
      this.cursors = new Map();
      this.deliver(items, [...cursors.values()]);
    }
    for (const receiver of this.waiting) receiver.flush();
    this.waiting.clear();
  };

  private deliver(items: readonly Item[], cursors: readonly Cursor[]): void {
    const authors = new Set<Receiver>();
    for (const { from } of items) if (from) authors.add(from);
    for (const { from } of cursors) authors.add(from);
    const shared = new Map<string, Buffer>();
    for (const receiver of this.options.receivers) {
      const frame = authors.has(receiver)
        ? assemble(receiver, without(items, receiver), without(cursors, receiver))
        : sharedFrame(shared, receiver, items, cursors);
      if (frame) receiver.enqueue(frame);
      receiver.flush();
    }
  }
}

function without<T extends Pick<Item, 'from'>>(all: readonly T[], receiver: Receiver): T[] {
  return all.filter(({ from }) => from !== receiver);
}

function sharedFrame(
  shared: Map<string, Buffer>,
  receiver: Receiver,
  items: readonly Item[],
  cursors: readonly Cursor[],
): Buffer | undefined {
  const known = shared.get(receiver.addressKey);
  if (known) return known;
  const made = assemble(receiver, items, cursors);
  if (made) shared.set(receiver.addressKey, made);
  return made;
}

/** All frames of a window for one address, in one buffer. */
function assemble(
  { address }: Receiver,
  items: readonly Item[],
  cursors: readonly Cursor[],
): Buffer | undefined {
  const frames = items.map(({ body }) => webSocketFrame(address, body));
  if (cursors.length > 0)
    frames.push(webSocketFrame(address, joinAwareness(cursors.map(({ update }) => update))));
  return frames.length > 1 ? Buffer.concat(frames) : frames[0];
}
