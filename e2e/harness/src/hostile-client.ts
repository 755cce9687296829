import { FrameType, SyncType } from '@weft/common';
import * as decoding from 'lib0/decoding';
import { WebSocket } from 'ws';
import * as Y from 'yjs';
import { broken } from './broken-bytes.ts';
import { awarenessBytes, awarenessFrame, clientFrame, syncFrame, tokenFrame } from './client-frames.ts';
import { randomEdit } from './random-edits.ts';
import type { Random } from './random.ts';

/** Updates that a client keeps, to send them again in other places. */
const KEPT = 200;
/** Documents and sessions that one client speaks of. */
const MAX_ADDRESSES = 60;

export interface HostileClientOptions {
  readonly url: string;
  /** Of documents, there or not. */
  readonly names: readonly string[];
  /** Anybody's. */
  readonly token: () => string;
  readonly random: Random;
  /** Seen or made by any client of the same run; the newest are kept. */
  readonly updates: Uint8Array[];
  /** Bytes of a message that the server does not take. */
  readonly tooLarge: number;
}

type Act = readonly [weight: number, act: (client: HostileClient) => void];

/** What a client may do next, and how often. */
const ACTS: readonly Act[] = [
  [6, (client) => client.authenticate()],
  [4, (client) => client.ask()],
  [3, (client) => client.answer()],
  [10, (client) => client.edit()],
  [3, (client) => client.repeatSomebody()],
  [2, (client) => client.impersonate()],
  [4, (client) => client.showPresence()],
  [1, (client) => client.sendUnknownType()],
  [1, (client) => client.closeDocument()],
  [1, (client) => client.sendGarbage()],
  [1, (client) => client.readNoMore()],
  [0.3, (client) => client.vanish()],
  [0.2, (client) => client.openMany()],
  [0.1, (client) => client.sendTooMuch()],
];

const TOTAL = ACTS.reduce((sum, [weight]) => sum + weight, 0);

/**
 * A client that does at random what the protocol has, mostly right, and then again broken, cut, repeated, in
 * somebody else's name, or too large. What it holds of the documents it keeps up to date, so that what it sends is
 * about what is really there.
 */
export class HostileClient {
  private readonly options: HostileClientOptions;
  private readonly socket: WebSocket;
  private readonly documents = new Map<string, Y.Doc>();
  private readonly addresses: string[] = [];
  private paused = false;
  ended = false;

  constructor(options: HostileClientOptions) {
    this.options = options;
    this.socket = new WebSocket(options.url, { skipUTF8Validation: true });
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => (this.ended = true));
    this.socket.on('message', (message: Buffer) => this.receive(message));
  }

  act(): void {
    if (this.socket.readyState !== WebSocket.OPEN) return;
    let left = this.random.next() * TOTAL;
    const [, act] = ACTS.find(([weight]) => (left -= weight) < 0) ?? ACTS[0] ?? [];
    act?.(this);
  }

  close(): void {
    this.socket.terminate();
  }

  // ── what it does ───────────────────────────────────────────────────────────

  authenticate(): void {
    this.send(tokenFrame(this.address(), this.options.token()));
  }

  ask(): void {
    const { random } = this;
    const address = this.address();
    const vector = random.chance(0.5) ? Uint8Array.of(0) : Y.encodeStateVector(this.document(address));
    this.send(syncFrame(address, SyncType.Step1, this.maybeBroken(vector, 0.15)));
  }

  answer(): void {
    const address = this.address();
    const state = this.maybeBroken(Y.encodeStateAsUpdate(this.document(address)), 0.1);
    const type = this.random.chance(0.7) ? FrameType.Sync : FrameType.SyncReply;
    this.send(syncFrame(address, SyncType.Step2, state, type));
  }

  edit(): void {
    const address = this.address();
    for (let left = 1 + this.random.integer(5); left > 0; left--) {
      const update = randomEdit(this.document(address), this.random);
      if (!update) continue;
      this.keep(update);
      this.send(syncFrame(address, SyncType.Update, this.maybeBroken(update, 0.03)));
    }
  }

  /** In another document, perhaps, and as its own. */
  repeatSomebody(): void {
    const { updates } = this.options;
    if (updates.length === 0) return;
    this.send(syncFrame(this.address(), SyncType.Update, this.maybeBroken(this.random.pick(updates), 0.1)));
  }

  /** Writes what another would write next. */
  impersonate(): void {
    const address = this.address();
    const copy = new Y.Doc();
    Y.applyUpdate(copy, Y.encodeStateAsUpdate(this.document(address)));
    copy.clientID = this.anyClient(address);
    const update = randomEdit(copy, this.random);
    copy.destroy();
    if (update) this.send(syncFrame(address, SyncType.Update, update));
  }

  showPresence(): void {
    const { random } = this;
    const address = this.address();
    const claims = Array.from({ length: random.integer(3) }, () => ({
      client: random.chance(0.9) ? this.document(address).clientID : this.anyClient(address),
      clock: random.integer(100),
      state: random.pick(['null', '{}', '{"user":{"name":"x"}}', '{"__proto__":{"x":1}}', '{']),
    }));
    this.send(awarenessFrame(address, this.maybeBroken(awarenessBytes(claims), 0.05)));
  }

  sendUnknownType(): void {
    const type = this.random.pick([3, 5, 6, 8, 9, 10, 11, 99, 300]);
    this.send(clientFrame(this.address(), type));
  }

  closeDocument(): void {
    this.send(clientFrame(this.address(), FrameType.Close));
  }

  sendGarbage(): void {
    if (this.random.chance(0.8)) this.send(Uint8Array.of(this.random.pick([0, 9, 10])));
    else this.send(this.random.bytes(this.random.integer(200)));
  }

  readNoMore(): void {
    this.paused = !this.paused;
    if (this.paused) this.socket.pause();
    else this.socket.resume();
  }

  vanish(): void {
    if (this.random.chance(0.5)) this.socket.terminate();
    else this.socket.close(this.random.pick([1000, 1001, 3000, 4401]));
  }

  openMany(): void {
    for (let left = 20; left > 0; left--) this.send(tokenFrame(this.newAddress(), this.options.token()));
  }

  sendTooMuch(): void {
    this.send(syncFrame(this.address(), SyncType.Update, new Uint8Array(this.options.tooLarge)));
  }

  // ── what it is told ────────────────────────────────────────────────────────

  private receive(message: Uint8Array): void {
    try {
      this.apply(message);
    } catch {
      // Of what it broke itself.
    }
    if (this.random.chance(0.005)) this.send(this.maybeBroken(message, 0.5));
  }

  private apply(message: Uint8Array): void {
    const decoder = decoding.createDecoder(message);
    const address = decoding.readVarString(decoder);
    if (decoding.readVarUint(decoder) !== FrameType.Sync) return;
    const kind = decoding.readVarUint(decoder);
    const payload = decoding.readVarUint8Array(decoder).slice();
    if (kind === SyncType.Step1) {
      const answer = Y.encodeStateAsUpdate(this.document(address), payload);
      this.send(syncFrame(address, SyncType.Step2, answer));
      return;
    }
    // Now and then it misses one, and builds on what it has.
    if (this.random.chance(0.03)) return;
    this.keep(payload);
    Y.applyUpdate(this.document(address), payload);
  }

  // ── what it does that with ─────────────────────────────────────────────────

  private get random(): Random {
    return this.options.random;
  }

  private send(frame: Uint8Array): void {
    if (this.socket.readyState !== WebSocket.OPEN) return;
    if (!this.random.chance(0.03)) return this.socket.send(frame);
    // In fragments.
    const half = frame.length >> 1;
    this.socket.send(frame.subarray(0, half), { fin: false });
    this.socket.send(frame.subarray(half), { fin: true });
  }

  private maybeBroken(bytes: Uint8Array, probability: number): Uint8Array {
    return this.random.chance(probability) ? broken(bytes, this.random) : bytes;
  }

  private keep(update: Uint8Array): void {
    const { updates } = this.options;
    updates.push(update);
    if (updates.length > KEPT) updates.shift();
  }

  private address(): string {
    return this.addresses.length > 0 && this.random.chance(0.85)
      ? this.random.pick(this.addresses)
      : this.newAddress();
  }

  private newAddress(): string {
    const { random } = this;
    const name = random.pick(this.options.names);
    const session = random.pick(['s', '', 'é'.repeat(100), `z${random.integer(1_000)}`]);
    const address = random.chance(0.3) ? `${name}\0${session}` : name;
    this.addresses.push(address);
    if (this.addresses.length > MAX_ADDRESSES) this.documents.delete(this.addresses.shift() ?? '');
    return address;
  }

  private document(address: string): Y.Doc {
    const known = this.documents.get(address);
    if (known) return known;
    const made = new Y.Doc();
    this.documents.set(address, made);
    return made;
  }

  private anyClient(address: string): number {
    const clients = [...this.document(address).store.clients.keys()];
    return clients.length > 0 ? this.random.pick(clients) : this.random.integer(2 ** 31);
  }
}
