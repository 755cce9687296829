import { AuthType, FrameType, SyncType } from '@weft/common';
import * as decoding from 'lib0/decoding';
import {
  awarenessFrame,
  EMPTY_STATE_VECTOR,
  EMPTY_UPDATE,
  PONG_FRAME,
  syncFrame,
  tokenFrame,
} from './frames.ts';
import { LightSocket } from './light-socket.ts';
import { RangeReader, SharedRanges, type Range } from './ranges.ts';
import type { ItemId } from './typist.ts';

export interface LightClientOptions {
  readonly url: string;
  readonly token: string;
  readonly document: string;
  readonly clientId: number;
  /** The presence state sent while opening, as a provider does. */
  readonly presence: unknown;
  /** Keeps what synchronized the document, to look at afterwards. */
  readonly keepState?: boolean;
  readonly listener?: ClientListener;
  /** What others in the document have read, to read it only once. */
  readonly ranges?: SharedRanges;
}

/** What a client reports; `at` is `performance.now()` of this process. */
export interface ClientListener {
  /** Characters of others arrived for the first time and without a hole before them. */
  delivered?(from: ItemId, length: number, at: number): void;
  erasedByOther?(from: ItemId, length: number, at: number): void;
  acknowledged?(update: SentUpdate, at: number): void;
  presence?(update: Uint8Array, at: number): void;
}

/** An update on its way. `clock`: the one after its last character, if it inserts. */
export interface SentUpdate {
  readonly at: number;
  readonly clock: number | undefined;
}

export interface Opened {
  /** Milliseconds from the call to the complete state. */
  readonly ms: number;
  /** Of the state, as sent. */
  readonly bytes: number;
}

/** One of those that bring a document's state. */
interface StateFrame {
  readonly type: number;
  /** What of it was kept. */
  readonly body: Uint8Array;
  /** As sent. */
  readonly bytes: number;
  readonly at: number;
}

/** The state itself is not looked into; what hundreds of people show comes whole. */
const KEPT_WHILE_OPENING = 512 * 1024;

/**
 * A person at a document, as the server sees them: opens like a stock provider, sends and counts, but keeps no
 * Y.Doc, so that hundreds fit into one generator process.
 */
export class LightClient {
  readonly clientId: number;
  readonly document: string;
  readonly state: Uint8Array[] = [];
  /** Acknowledgements with a negative status. */
  refused = 0;
  /** Characters of others that arrived while earlier ones of the same author had not. */
  holes = 0;
  presenceFrames = 0;
  /** Why the session ended on its own; `undefined` while it lives. */
  failure: string | undefined;
  private readonly options: LightClientOptions;
  private readonly socket: LightSocket;
  private readonly outstanding: (SentUpdate | 'handshake')[] = [];
  private readonly ranges: RangeReader;
  private readonly positions = new Map<number, number>();
  private readonly opened = Promise.withResolvers<Opened>();
  private readonly startedAt = performance.now();
  private presenceClock = 0;
  private synced = false;
  private stateBytes = 0;
  private closing = false;

  constructor(options: LightClientOptions) {
    this.options = options;
    this.clientId = options.clientId;
    this.document = options.document;
    this.ranges = new RangeReader(options.ranges ?? new SharedRanges());
    this.opened.promise.catch(() => undefined);
    this.socket = new LightSocket(options.url, {
      opened: () => this.introduce(),
      message: (frame, length) => this.receive(frame, length),
      closed: (reason) => this.fail(reason),
    });
    if (!options.keepState) this.socket.keptBytes = KEPT_WHILE_OPENING;
  }

  private introduce(): void {
    const { document, token, presence } = this.options;
    this.socket.send(tokenFrame(document, token));
    this.socket.send(syncFrame(document, SyncType.Step1, EMPTY_STATE_VECTOR));
    this.sendPresence(presence);
  }

  /** Resolves with the document's state complete. */
  open(): Promise<Opened> {
    return this.opened.promise;
  }

  get unacknowledged(): number {
    return this.outstanding.length;
  }

  /** Characters of `author` that have arrived here. */
  position(author: number): number {
    return this.positions.get(author) ?? 0;
  }

  sendUpdate(update: Uint8Array, clock: number | undefined): number {
    const at = performance.now();
    this.outstanding.push({ at, clock });
    this.socket.send(syncFrame(this.document, SyncType.Update, update));
    return at;
  }

  sendPresence(state: unknown): void {
    const presence = { clientId: this.clientId, clock: ++this.presenceClock, state };
    this.socket.send(awarenessFrame(this.document, presence));
  }

  async close(): Promise<void> {
    this.closing = true;
    await this.socket.close();
  }

  private receive(frame: Buffer, length: number): void {
    const at = performance.now();
    if (frame.length === 1 && frame[0] === FrameType.Ping) {
      this.socket.send(PONG_FRAME);
      return;
    }
    const decoder = decoding.createDecoder(frame);
    skipString(decoder);
    const type = decoding.readVarUint(decoder);
    const complete = frame.length === length;
    switch (type) {
      case FrameType.Sync:
      case FrameType.SyncReply:
        this.receiveSync(decoder, { complete, at });
        break;
      case FrameType.SyncStatus:
        this.receiveStatus(decoding.readVarInt(decoder) === 1, at);
        break;
      case FrameType.Awareness:
        this.presenceFrames += 1;
        if (!complete) return this.fail('presence came that was too large to look into');
        this.options.listener?.presence?.(decoding.readVarUint8Array(decoder), at);
        break;
      case FrameType.Auth:
        if (decoding.readVarUint(decoder) === AuthType.PermissionDenied) {
          this.fail(`refused: ${decoding.readVarString(decoder)}`);
        }
        break;
      case FrameType.Close:
        this.fail(`session closed: ${decoding.readVarString(decoder)}`);
        break;
      default:
        break;
    }
  }

  private receiveSync(
    decoder: decoding.Decoder,
    { complete, at }: { readonly complete: boolean; readonly at: number },
  ): void {
    const type = decoding.readVarUint(decoder);
    const bytes = decoding.readVarUint(decoder);
    if (type === SyncType.Step1) {
      // Nothing was written before the session, so there is nothing that the server could miss.
      this.outstanding.push('handshake');
      this.socket.send(syncFrame(this.document, SyncType.Step2, EMPTY_UPDATE));
      return;
    }
    const body = decoder.arr.subarray(decoder.pos, decoder.pos + bytes);
    if (!this.synced) return this.receiveState({ type, body, bytes, at });
    if (!complete) return this.fail('an update came that was too large to look into');
    const { inserted, deleted } = this.ranges.read(body);
    for (const range of inserted) this.deliver(range, at);
    for (const range of deleted) this.options.listener?.erasedByOther?.(range, range.length, at);
  }

  /** Until SyncStep2 says that it is all. */
  private receiveState({ type, body, bytes, at }: StateFrame): void {
    if (this.options.keepState) this.state.push(Uint8Array.from(body));
    this.stateBytes += bytes;
    if (type !== SyncType.Step2) return;
    this.synced = true;
    this.socket.keptBytes = Number.POSITIVE_INFINITY;
    this.opened.resolve({ ms: at - this.startedAt, bytes: this.stateBytes });
  }

  private deliver({ client, clock, length }: Range, at: number): void {
    if (client === this.clientId) return;
    const position = this.position(client);
    if (clock > position) this.holes += 1;
    const added = clock + length - position;
    if (added <= 0) return;
    this.positions.set(client, clock + length);
    this.options.listener?.delivered?.({ client, clock: position }, added, at);
  }

  private receiveStatus(applied: boolean, at: number): void {
    const update = this.outstanding.shift();
    if (!applied) this.refused += 1;
    if (update === undefined) this.fail('an acknowledgement of nothing');
    else if (update !== 'handshake' && applied) this.options.listener?.acknowledged?.(update, at);
  }

  private fail(reason: string): void {
    if (this.closing) return;
    this.failure ??= reason;
    this.opened.reject(new Error(`${this.document}: ${reason}`));
  }
}

function skipString(decoder: decoding.Decoder): void {
  const length = decoding.readVarUint(decoder);
  decoder.pos += length;
}
