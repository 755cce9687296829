import type { Socket } from 'node:net';
import type { Clock } from '@weft/common';
import type { GatewayLimits } from '../limits.ts';

/** Above this, several writes go out as a gathered write instead of one copied buffer. */
const COPY_LIMIT = 16 * 1024;

export interface OutboundPorts {
  readonly clock: Clock;
  readonly limits: Pick<GatewayLimits, 'outboundBytes'>;
}

export interface OutboundOptions {
  readonly ports: OutboundPorts;
  /** The TCP connection below the WebSocket: whole frames are written straight to it. */
  readonly connection: Socket;
  /** Is told when more waits for the peer than may. */
  readonly owner: { readsTooSlowly(): void };
}

/** Where the frames of a session go. */
export type FrameSink = Pick<
  Outbound,
  'enqueue' | 'enqueueState' | 'send' | 'flush' | 'congested' | 'drained'
>;

/** For those of somebody who does not want any more. */
export const NOWHERE: FrameSink = {
  enqueue: () => undefined,
  enqueueState: () => undefined,
  send: () => undefined,
  flush: () => undefined,
  congested: false,
  drained: () => Promise.resolve(),
};

function flush(outbound: Outbound): void {
  outbound.flush();
}

/** The frames on their way to a peer: those of a moment are written together, and no more waits than may. */
export class Outbound {
  lastSentAt: number;
  private readonly ports: OutboundPorts;
  private readonly connection: Socket;
  private readonly owner: OutboundOptions['owner'];
  private frames: Buffer[] = [];
  private bytes = 0;
  private flushScheduled = false;
  private closed = false;
  /** Bytes of states that were sent whole; they are shared buffers and don't count against the slow reader. */
  private stateBytes = 0;

  constructor({ ports, connection, owner }: OutboundOptions) {
    this.ports = ports;
    this.connection = connection;
    this.owner = owner;
    this.lastSentAt = ports.clock.now();
  }

  /** Queues a frame or a part of one, to be written at the next {@link flush}. */
  enqueue(bytes: Buffer): void {
    this.frames.push(bytes);
    this.bytes += bytes.length;
  }

  /** Queues a frame of a document's whole state. */
  enqueueState(frame: Buffer): void {
    this.stateBytes += frame.length;
    this.enqueue(frame);
  }

  /** Queues a frame and writes it at the end of this turn of the event loop. */
  send(frame: Buffer): void {
    this.enqueue(frame);
    if (this.flushScheduled) return;
    this.flushScheduled = true;
    setImmediate(flush, this);
  }

  flush(): void {
    this.flushScheduled = false;
    if (this.frames.length === 0) return;
    const { frames, bytes, connection } = this;
    this.frames = [];
    this.bytes = 0;
    if (this.closed || !connection.writable) return;
    this.lastSentAt = this.ports.clock.now();
    if (frames.length === 1 && frames[0]) connection.write(frames[0]);
    else if (bytes <= COPY_LIMIT) connection.write(Buffer.concat(frames, bytes));
    else writeGathered(connection, frames);
    this.checkBackpressure();
  }

  private checkBackpressure(): void {
    const { connection, ports, owner } = this;
    const { writableLength } = connection;
    if (writableLength === 0) this.stateBytes = 0;
    if (writableLength - this.stateBytes > ports.limits.outboundBytes) owner.readsTooSlowly();
  }

  get congested(): boolean {
    return this.connection.writableNeedDrain;
  }

  /** Resolves when everything written so far has left for the network, or the socket is gone. */
  drained(): Promise<void> {
    const { connection } = this;
    if (!this.congested || connection.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        connection.off('drain', done);
        connection.off('close', done);
        this.stateBytes = 0;
        resolve();
      };
      connection.once('drain', done);
      connection.once('close', done);
    });
  }

  /** Nothing is written any more. */
  close(): void {
    this.closed = true;
  }
}

function writeGathered(connection: Socket, frames: readonly Buffer[]): void {
  connection.cork();
  for (const frame of frames) connection.write(frame);
  connection.uncork();
}
