import { FrameType } from '@weft/common';
import type { GatewayMetrics } from '../gateway-metrics.ts';
import type { GatewayLimits } from '../limits.ts';
import type { Admission } from '../opening/session-opening.ts';
import type { FrameReader } from '../wire/frame-reader.ts';
import { encodeAddress, permissionDeniedBody, requestTokenBody, webSocketFrame } from '../wire/frames.ts';
import { Channel, type ChannelPorts, type ChannelSocket, type Neighbours } from './channel.ts';
import { LateGoodbyes } from './late-goodbyes.ts';

export interface ChannelRouterPorts {
  readonly limits: Pick<GatewayLimits, 'documentsPerSocket'>;
  readonly metrics: Pick<GatewayMetrics, 'refusal'>;
  readonly channel: ChannelPorts;
}

export interface ChannelRouterOptions {
  readonly ports: ChannelRouterPorts;
  readonly socket: ChannelSocket;
}

/** The channels on one socket: each frame goes to the one of its address, which is made when it is new. */
export class ChannelRouter implements Neighbours {
  readonly goodbyes: LateGoodbyes;
  private readonly ports: ChannelRouterPorts;
  private readonly socket: ChannelSocket;
  /** Ended ones stay, so that late frames are known. Grown by `concat`: spreading makes room for sixteen more. */
  private channels: readonly Channel[] = [];
  /** Of the last frame: as a rule the next one's too. */
  private lastRouted: Channel | undefined;

  constructor({ ports, socket }: ChannelRouterOptions) {
    this.ports = ports;
    this.socket = socket;
    this.goodbyes = new LateGoodbyes(ports.limits.documentsPerSocket);
  }

  get all(): readonly Channel[] {
    return this.channels;
  }

  /** @throws WeftError when the frame can't be handled; the connection ends. */
  receive(reader: FrameReader): void {
    const last = this.lastRouted;
    if (last?.isOpen && startsWith(reader.bytes, last.address)) {
      reader.offset = last.address.length;
      return last.receive(reader);
    }
    const address = reader.string();
    const channel = this.of(address).find(({ hasSaidGoodbye }) => !hasSaidGoodbye) ?? this.add(address);
    this.lastRouted = channel;
    if (channel) channel.receive(reader);
    else this.refuseOneMore(address, reader);
  }

  private of(address: string): readonly Channel[] {
    return this.channels.filter(({ addressKey }) => addressKey === address);
  }

  /** `undefined`: there are as many as there may be. */
  private add(address: string): Channel | undefined {
    const { limits, channel: ports } = this.ports;
    if (this.channels.length >= limits.documentsPerSocket) {
      this.keep(({ ended }) => !ended);
      if (this.channels.length >= limits.documentsPerSocket) return undefined;
    }
    const predecessor = this.of(address).findLast(({ ended }) => !ended);
    const channel = new Channel({ ports, socket: this.socket, neighbours: this, address, predecessor });
    this.channels = this.channels.concat(channel);
    return channel;
  }

  /**
   * Answers its token alone, and keeps nothing of it. Closing the connection instead would end what is open on it, for
   * ever: the stock provider comes back with all of its documents, the one too many among them.
   */
  private refuseOneMore(address: string, reader: FrameReader): void {
    if (reader.type() !== FrameType.Auth) return;
    this.socket.inbound.presentsToken();
    this.ports.metrics.refusal('too-many-documents');
    this.socket.out.send(webSocketFrame(encodeAddress(address), permissionDeniedBody('too-many-documents')));
  }

  private keep(wanted: (channel: Channel) => boolean): void {
    this.channels = this.channels.filter(wanted);
    this.lastRouted = undefined;
  }

  // ── what channels tell of their address ────────────────────────────────────

  freeAddress(channel: Channel): void {
    if (this.lastRouted === channel) this.lastRouted = undefined;
  }

  forget(channel: Channel): void {
    this.keep((other) => other !== channel);
  }

  reopen(ended: Channel, admission: Admission): void {
    this.forget(ended);
    this.goodbyes.settle(ended.addressKey);
    void this.add(ended.addressKey)?.open(admission);
  }

  closedByClient(channel: Channel): void {
    this.forget(channel);
    const { addressKey, address } = channel;
    const next = this.of(addressKey).at(-1);
    // Whose token has come is there.
    if (next && !next.isWaiting) return;
    this.goodbyes.ask(addressKey);
    this.socket.out.send(webSocketFrame(address, requestTokenBody));
  }
}

function startsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  for (let i = 0; i < start.length; i++) if (bytes[i] !== start[i]) return false;
  return true;
}
