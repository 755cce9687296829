import {
  applyPatch,
  openSession,
  seededRandom,
  Typist,
  type AckLedger,
  type ClientSocket,
  type Random,
  type Session,
} from '@weft/harness';

/** Milliseconds after which somebody who was sent away knocks again. */
const KNOCK_AGAIN = 200;

export interface PersonOptions {
  readonly url: string;
  readonly name: string;
  readonly user: string;
  /** Asked whenever the server wants one. */
  readonly token: () => string;
  readonly random: Random;
  /** Shared with other documents; none: its own. */
  readonly socket?: ClientSocket;
  readonly sessionAwareness?: boolean;
  /** Mean milliseconds between two edits. */
  readonly pace?: number;
  /** How probably the connection breaks before an edit. */
  readonly restless?: number;
}

/**
 * Somebody who works with the stock provider, and does what an editor should: writes where the server has said that
 * this may be written, and when a session is over for good drops that copy and opens the document anew.
 */
export class Person {
  readonly name: string;
  readonly user: string;
  /** Why sessions were ended and updates refused, each reason once. */
  readonly codes = new Set<string>();
  private readonly ledgers = new Set<AckLedger>();
  private readonly options: PersonOptions;
  private readonly typist: Typist;
  private current: Session;
  private timer: NodeJS.Timeout | undefined;
  private writing = false;

  constructor(options: PersonOptions) {
    this.options = options;
    this.name = options.name;
    this.user = options.user;
    this.typist = new Typist(seededRandom(options.random.integer(2 ** 31)));
    this.current = this.open();
    this.schedule(this.anyPause);
  }

  get session(): Session {
    return this.current;
  }

  get acknowledged(): Uint8Array[] {
    return [...this.ledgers].flatMap((ledger) => ledger.acknowledged.map(({ bytes }) => bytes));
  }

  get surplus(): number {
    return [...this.ledgers].reduce((sum, { surplus }) => sum + surplus, 0);
  }

  start(): void {
    this.writing = true;
  }

  pause(): void {
    this.writing = false;
  }

  close(): void {
    clearTimeout(this.timer);
    this.note();
    this.current.close();
  }

  private get anyPause(): number {
    return this.options.random.next() * 2 * (this.options.pace ?? 80);
  }

  private open(): Session {
    const { url, name, token, socket, sessionAwareness = false, user } = this.options;
    const session = openSession({
      url,
      name,
      token,
      sessionAwareness,
      user: { name: user },
      ...(socket && { socket }),
    });
    this.ledgers.add(session.acks);
    return session;
  }

  private schedule(after: number): void {
    this.timer = setTimeout(() => this.goOn(), after);
  }

  private goOn(): void {
    this.note();
    if (this.isOver) {
      this.current.close();
      // What the server still says of the old session has come by then.
      this.timer = setTimeout(() => this.knock(), KNOCK_AGAIN);
      return;
    }
    if (this.writing && this.options.random.chance(this.options.restless ?? 0)) {
      this.current.socket.tap.current?.terminate();
    }
    if (this.writing && this.mayWrite) this.edit();
    this.schedule(this.anyPause);
  }

  private knock(): void {
    this.current = this.open();
    this.schedule(this.anyPause);
  }

  private edit(): void {
    const { text } = this.current;
    const patch = this.typist.next(text.length);
    applyPatch(text, patch);
  }

  private note(): void {
    for (const event of this.current.events) if (event.weft !== 'access') this.codes.add(event.code);
    for (const reason of this.current.authenticationFailures) this.codes.add(reason);
  }

  private get isOver(): boolean {
    const { events, authenticationFailures } = this.current;
    return (
      authenticationFailures.length > 0 || events.some((event) => event.weft === 'closed' && !event.retryable)
    );
  }

  private get mayWrite(): boolean {
    const access = this.current.events.findLast((event) => event.weft === 'access');
    return access?.writable === '*';
  }
}
