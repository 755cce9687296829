/** Milliseconds. As often a line that goes on repeating is written, with how often it came. */
const PERIOD = 10_000;
/** More kinds than the code has: what outsiders choose is no part of a kind, and if it ever is, it costs no memory. */
const MAX_KINDS = 500;

export interface Line {
  /** Lines of one kind say the same about different things. */
  readonly kind: string;
  /** How many of its kind are written before they are counted. */
  readonly burst: number;
  /** @param repeated how many lines of this kind were left out since the last that was written, this one included */
  readonly write: (repeated?: number) => void;
}

interface Kind {
  left: number;
  repeated: number;
  last: Line['write'];
}

/**
 * Keeps what comes again and again from filling the log: whoever floods the server, or a database that is away, causes a
 * burst of lines, and then one per period for as long as it lasts.
 */
export class Repetition {
  private readonly kinds = new Map<string, Kind>();
  private timer: NodeJS.Timeout | undefined;

  write({ kind: name, burst, write }: Line): void {
    const kind = this.kindOf(name, burst);
    if (kind.left > 0) {
      kind.left -= 1;
      write();
      return;
    }
    kind.repeated += 1;
    kind.last = write;
  }

  private kindOf(name: string, burst: number): Kind {
    const key = this.kinds.has(name) || this.kinds.size < MAX_KINDS ? name : '';
    const known = this.kinds.get(key);
    if (known) return known;
    const made = { left: burst, repeated: 0, last: () => undefined };
    this.kinds.set(key, made);
    this.timer ??= setInterval(() => this.tell(), PERIOD).unref();
    return made;
  }

  private tell(): void {
    for (const [name, kind] of this.kinds) {
      const { repeated, last } = kind;
      if (repeated === 0) {
        this.kinds.delete(name);
        continue;
      }
      this.kinds.set(name, { left: 0, repeated: 0, last });
      last(repeated);
    }
    if (this.kinds.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }
}
