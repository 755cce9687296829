import { AuthType, FrameType, SyncType } from '@weft/common';
import * as decoding from 'lib0/decoding';
import { WebSocket, type ClientOptions } from 'ws';
import { AckLedger } from './acks.ts';

export interface SocketClose {
  readonly code: number;
  readonly reason: string;
}

type Binary = Uint8Array | ArrayBuffer | string;

function bytesOf(data: Binary): Uint8Array {
  if (typeof data === 'string') return new TextEncoder().encode(data);
  return data instanceof ArrayBuffer ? new Uint8Array(data) : data;
}

/**
 * Watches the sockets that one stock provider socket opens, one after the other, without changing anything:
 * only what really left and arrived counts, not what a provider believes.
 */
export class WireTap {
  /** By address: the document's name, or `name\0sessionId`. */
  private readonly ledgers = new Map<string, AckLedger>();
  readonly closes: SocketClose[] = [];
  readonly received = { frames: 0, bytes: 0 };
  /** Answers to authentication, by address. */
  readonly authenticated = new Map<string, number>();
  current: WebSocket | undefined;
  /** Addresses whose session the server has ended. */
  private readonly over = new Set<string>();

  ledger(address: string): AckLedger {
    const existing = this.ledgers.get(address);
    if (existing) return existing;
    const made = new AckLedger();
    this.ledgers.set(address, made);
    return made;
  }

  /** For the provider's `WebSocketPolyfill`. */
  polyfill(options: ClientOptions = {}): typeof WebSocket {
    const sentOn = (data: Binary) => this.sent(bytesOf(data));
    const attach = (socket: WebSocket) => this.attach(socket);
    return class TappedWebSocket extends WebSocket {
      constructor(url: string | URL) {
        super(url, options);
        attach(this);
      }

      override send(data: Binary): void {
        super.send(data);
        sentOn(data);
      }
    } as unknown as typeof WebSocket;
  }

  private attach(socket: WebSocket): void {
    this.current = socket;
    // A provider that is destroyed while it connects has taken its own listener away by then.
    socket.on('error', () => undefined);
    socket.on('message', (data: ArrayBuffer) => this.receive(new Uint8Array(data)));
    socket.on('close', (code, reason) => {
      this.closes.push({ code, reason: reason.toString() });
      for (const ledger of this.ledgers.values()) ledger.connectionEnded();
    });
  }

  private sent(frame: Uint8Array): void {
    if (frame.length === 1) return;
    const decoder = decoding.createDecoder(frame);
    const address = decoding.readVarString(decoder);
    const type = decoding.readVarUint(decoder);
    if (type === FrameType.Auth && this.over.delete(address)) this.ledger(address).connectionEnded();
    if (type === FrameType.Close) this.ledger(address).connectionEnded();
    if (type !== FrameType.Sync && type !== FrameType.SyncReply) return;
    const kind = decoding.readVarUint(decoder);
    if (kind === SyncType.Step1) return;
    const bytes = decoding.readVarUint8Array(decoder).slice();
    this.ledger(address).recordSent(bytes, kind === SyncType.Update ? 'update' : 'sync-step-2');
  }

  private receiveAuth(address: string, kind: number): void {
    if (kind === AuthType.PermissionDenied) this.sessionEnded(address);
    if (kind !== AuthType.Authenticated) return;
    this.authenticated.set(address, (this.authenticated.get(address) ?? 0) + 1);
  }

  /** What a session was not told by now it never is, nor what is sent before the next one is asked for. */
  private sessionEnded(address: string): void {
    this.ledger(address).connectionEnded();
    this.over.add(address);
  }

  private receive(frame: Uint8Array): void {
    this.received.frames++;
    this.received.bytes += frame.length;
    if (frame.length === 1) return;
    const decoder = decoding.createDecoder(frame);
    const address = decoding.readVarString(decoder);
    const type = decoding.readVarUint(decoder);
    if (type === FrameType.SyncStatus) this.ledger(address).recordStatus(decoding.readVarInt(decoder) === 1);
    if (type === FrameType.Close) this.sessionEnded(address);
    if (type === FrameType.Auth) this.receiveAuth(address, decoding.readVarUint(decoder));
  }
}
