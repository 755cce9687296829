import type { FrameBody } from './frames.ts';
import { webSocketFrame } from './frames.ts';

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

export interface FanOutOptions {
  readonly receivers: ReadonlySet<Receiver>;
  /** The longest that anything waits to be written together with what follows, in milliseconds. */
  readonly maxWindow: number;
  /** Milliseconds of window per receiver: joining frames pays only when many sockets are written to. */
  readonly windowPerReceiver: number;
  /** Called just before the window is written, to add what was coalesced meanwhile. */
  readonly beforeFlush: () => void;
}

/**
 * Sends what happens in one document to its sessions. Everything of a short window is written to a socket in one
 * piece: with 50 people in a document half of a server's time is the system call per socket and change, and
 * joining the frames of a few milliseconds halves it. The window grows with the number of receivers, so that two
 * people wait for nothing. Receivers that caused nothing in the window share one buffer.
 */
export class FanOut {
  private readonly options: FanOutOptions;
  private items: Item[] = [];
  /** Receivers with something of their own waiting (acknowledgements): they ride along. */
  private readonly waiting = new Set<Receiver>();
  private scheduled = false;

  constructor(options: FanOutOptions) {
    this.options = options;
  }

  /** To everybody but `from`. */
  broadcast(body: FrameBody, from?: Receiver): void {
    this.items.push({ body, from });
    this.schedule();
  }

  /** Writes what `receiver` has queued with the next window. */
  flushSoon(receiver: Receiver): void {
    this.waiting.add(receiver);
    this.schedule();
  }

  schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    const { receivers, maxWindow, windowPerReceiver } = this.options;
    const window = Math.floor(Math.min(maxWindow, receivers.size * windowPerReceiver));
    // A timer takes at least 1 ms; below that the end of this turn of the event loop is the window.
    if (window < 1) setImmediate(this.flush);
    else setTimeout(this.flush, window);
  }

  readonly flush = (): void => {
    this.scheduled = false;
    this.options.beforeFlush();
    const items = this.items;
    this.items = [];
    if (items.length > 0) this.deliver(items);
    for (const receiver of this.waiting) receiver.flush();
    this.waiting.clear();
  };

  private deliver(items: readonly Item[]): void {
    const authors = new Set<Receiver>();
    for (const { from } of items) if (from) authors.add(from);
    const shared = new Map<string, Buffer>();
    for (const receiver of this.options.receivers) {
      if (authors.has(receiver)) {
        for (const { body, from } of items) {
          if (from !== receiver) receiver.enqueue(webSocketFrame(receiver.address, body));
        }
      } else {
        let joined = shared.get(receiver.addressKey);
        if (!joined) {
          joined = join(receiver.address, items);
          shared.set(receiver.addressKey, joined);
        }
        receiver.enqueue(joined);
      }
      receiver.flush();
    }
  }
}

function join(address: Uint8Array, items: readonly Item[]): Buffer {
  const [first] = items;
  if (items.length === 1 && first) return webSocketFrame(address, first.body);
  return Buffer.concat(items.map(({ body }) => webSocketFrame(address, body)));
}
