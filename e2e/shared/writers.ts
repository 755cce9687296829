import {
  applyPatch,
  openSession,
  seededRandom,
  Typist,
  until,
  type Random,
  type Session,
  type WeftServer,
} from '@weft/harness';

export interface WritersOptions {
  readonly server: WeftServer;
  /** Where they connect, when not straight to the server. */
  readonly url?: string;
  readonly name: string;
  readonly count: number;
  readonly random: Random;
  /** Mean milliseconds between two edits of one person. */
  readonly pace?: number;
  /** Begins the writers' names. */
  readonly prefix?: string;
}

/** People who write in one document through stock providers, whatever happens to the server. */
export class Writers {
  readonly sessions: readonly Session[];
  readonly name: string;
  /** Begins the writers' names, which end in `-0`, `-1` … */
  readonly prefix: string;
  private readonly timers = new Set<NodeJS.Timeout>();
  private writing = false;
  private readonly random: Random;
  private readonly pace: number;
  private readonly typists: readonly Typist[];
  edits = 0;

  constructor({ server, url, name, count, random, pace = 20, prefix = 'writer' }: WritersOptions) {
    this.name = name;
    this.prefix = prefix;
    this.random = random;
    this.pace = pace;
    this.typists = Array.from({ length: count }, () => new Typist(seededRandom(random.integer(2 ** 31))));
    this.sessions = this.typists.map((_, index) =>
      openSession({
        url: url ?? server.wsUrl,
        name,
        token: server.token({
          sub: `${prefix}-${index}`,
          name: `Writer ${index}`,
          grants: { [name]: 'editor' },
        }),
      }),
    );
  }

  async opened(): Promise<void> {
    await Promise.all(this.sessions.map((session) => session.opened(30_000)));
  }

  start(): void {
    this.writing = true;
    this.sessions.forEach((_, index) => this.schedule(index));
  }

  private schedule(index: number): void {
    const timer = setTimeout(
      () => {
        this.timers.delete(timer);
        if (!this.writing) return;
        this.edit(index);
        this.schedule(index);
      },
      this.random.next() * 2 * this.pace,
    );
    this.timers.add(timer);
  }

  private edit(index: number): void {
    const text = this.sessions[index]?.text;
    const patch = text && this.typists[index]?.next(text.length);
    if (!patch) return;
    applyPatch(text, patch);
    this.edits++;
  }

  pause(): void {
    this.writing = false;
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
  }

  /** What the server has promised to have saved, up to now. */
  get acknowledged(): Uint8Array[] {
    return this.sessions.flatMap(({ acks }) => acks.acknowledged.map(({ bytes }) => bytes));
  }

  get refused(): number {
    return this.sessions.reduce((sum, { acks }) => sum + acks.refused.length, 0);
  }

  get surplus(): number {
    return this.sessions.reduce((sum, { acks }) => sum + acks.surplus, 0);
  }

  get acknowledgedCount(): number {
    return this.sessions.reduce((sum, { acks }) => sum + acks.acknowledged.length, 0);
  }

  /** Resolves when so many more updates have been acknowledged. */
  async progress(more: number, timeout = 30_000): Promise<void> {
    const target = this.acknowledgedCount + more;
    await until(() => this.acknowledgedCount >= target, {
      timeout,
      interval: 1,
      what: `${more} more acknowledged updates of ${this.name}`,
    });
  }

  async allSaved(timeout = 60_000): Promise<void> {
    await Promise.all(this.sessions.map((session) => session.saved(timeout)));
  }

  documents(): Record<string, Session['document']> {
    return Object.fromEntries(
      this.sessions.map(({ document }, index) => [`${this.name}-${index}`, document]),
    );
  }

  close(): void {
    this.pause();
    for (const session of this.sessions) session.close();
  }
}
