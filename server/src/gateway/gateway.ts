import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { PolicyChange } from '@weft/authorize';
import { everyBeat, type Cursor, type DocumentKey, type ErrorCode, type Principal } from '@weft/common';
import { WebSocketServer, type Server } from 'ws';
import { ClientSocket } from './connection/client-socket.ts';
import { GatewayWebSocket } from './connection/gateway-web-socket.ts';
import { LightRequest, NO_REQUEST } from './hocuspocus/light-request.ts';
import { refuseSocket } from '../http/refuse-socket.ts';
import { allowsOrigin } from '../origins.ts';
import { REFUSED_ORIGIN_HINT } from '../refused-origins.ts';
import { SilentPeers } from './connection/silent-peers.ts';
import { makeParts, type GatewayDependencies, type GatewayParts } from './parts.ts';

const SWEEP_INTERVAL = 1_000;
/** What is kept for those who join or come back is not kept longer when nobody does. */
const STATE_CACHE_UNUSED = 60_000;
/** Milliseconds in which a database that answers commits what is in flight. */
const SETTLE = 5_000;
/**
 * Milliseconds within which a client that was sent away is asked to come back. Closing is spread already; a longer
 * wait could outlast the grace that keeps its presence.
 */
const RETRY_SPREAD = 1_000;
/** The stock provider reconnects after 30 s without a message. */
const KEEP_ALIVE = 20_000;

export interface OpenDocument {
  readonly key: DocumentKey;
  /** Of its row in the log. */
  readonly id: number;
  readonly sessions: number;
  readonly cursor: Cursor;
}

export interface DrainOptions {
  /** Milliseconds over which the clients are sent away. */
  readonly spread: number;
}

/**
 * The WebSocket side of the server: accepts sockets, bounds them, and takes them away again. What a socket says is
 * handled by its sessions.
 */
export class Gateway {
  private readonly dependencies: GatewayDependencies;
  private readonly parts: GatewayParts;
  private readonly server: Server<typeof GatewayWebSocket>;
  private readonly silentPeers: SilentPeers;
  private stopSweeping: (() => void) | undefined;
  private sweepDue: NodeJS.Immediate | undefined;
  private presenceSweptAt = 0;
  private draining = false;

  constructor(dependencies: GatewayDependencies) {
    this.dependencies = dependencies;
    this.parts = makeParts(dependencies);
    const { heartbeat } = dependencies.limits;
    this.silentPeers = new SilentPeers({ heartbeat, interval: SWEEP_INTERVAL });
    this.server = new WebSocketServer({
      noServer: true,
      // The gateway has a list of its own; this one costs a listener for each.
      clientTracking: false,
      WebSocket: GatewayWebSocket,
      maxPayload: dependencies.limits.frameBytes,
      perMessageDeflate: false,
      skipUTF8Validation: true,
    });
  }

  async start(): Promise<void> {
    this.stopSweeping = everyBeat(SWEEP_INTERVAL, () => this.sweepSoon());
    await this.parts.replication.start();
    this.parts.absentPeople.start();
  }

  get isDraining(): boolean {
    return this.draining;
  }

  stats(): { connections: number; sessions: number; documents: number } {
    let sessions = 0;
    for (const live of this.parts.documents.all()) sessions += live.sessions.size;
    return { connections: this.parts.socket.sockets.size, sessions, documents: this.parts.documents.size };
  }

  /** The documents that are open here and how far each has come without a gap. */
  *openDocuments(): Iterable<OpenDocument> {
    for (const live of this.parts.documents.all()) {
      const cursor = this.parts.replication.cursorOf(live);
      if (cursor) yield { key: live.key, id: live.log.id, sessions: live.sessions.size, cursor };
    }
  }

  /** @see Submissions.submit */
  submitUpdate(principal: Principal, key: DocumentKey, update: Uint8Array): Promise<Cursor> {
    return this.parts.submissions.submit(principal, key, update);
  }

  /** The sessions it affects ask the gate again at once. */
  accessChanged(change: PolicyChange): void {
    this.parts.access.policyChanged(change);
  }

  /** Ends all sessions of a document. */
  closeDocument(key: DocumentKey, code: ErrorCode): void {
    this.parts.documents.end(key, code);
  }

  /** Takes an HTTP upgrade on the collaboration path, or refuses it with an HTTP status. */
  handleUpgrade(request: IncomingMessage, connection: Duplex, head: Buffer): void {
    const address = this.dependencies.clientAddress(request);
    if (this.draining) return refuseSocket(connection, 'server-draining');
    if (!allowsOrigin(request, this.dependencies.allowedOrigins)) {
      this.dependencies.refusedOrigins.tell(request.headers.origin ?? '');
      return this.refuse(connection, 'origin-forbidden', REFUSED_ORIGIN_HINT);
    }
    if (!this.parts.socket.addresses.acquire(address)) return this.refuse(connection, 'too-many-connections');
    let accepted = false;
    this.server.handleUpgrade(request, connection, head, (webSocket) => {
      accepted = true;
      this.accept(webSocket, connection as Socket, { request, address });
    });
    // Refused by the WebSocket server, which calls back at once or never.
    if (!accepted) this.parts.socket.addresses.release(address);
  }

  private refuse(connection: Duplex, code: ErrorCode, hint?: string): void {
    this.parts.metrics.refusal(code);
    refuseSocket(connection, code, hint);
  }

  private accept(
    webSocket: GatewayWebSocket,
    connection: Socket,
    { request, address }: { readonly request: IncomingMessage; readonly address: string },
  ): void {
    connection.setNoDelay(true);
    const socket = new ClientSocket({
      ports: this.parts.socket,
      webSocket,
      connection,
      request: this.requestFor(request),
      address,
    });
    this.parts.socket.sockets.add(socket);
    this.parts.metrics.connections.set(this.parts.socket.sockets.size);
    socket.listen();
  }

  /** Only hooks look at it: without any nothing of it is kept. */
  private requestFor(request: IncomingMessage): Request {
    return this.dependencies.extensions.length > 0 ? new LightRequest(request).asRequest() : NO_REQUEST;
  }

  // ── every second ───────────────────────────────────────────────────────────

  /** When what has come meanwhile is read: who spoke while this instance stood still was not silent. */
  private sweepSoon(): void {
    this.sweepDue = setImmediate(() => this.sweep());
  }

  private sweep(): void {
    const now = this.dependencies.clock.now();
    const today = this.dependencies.wallClock.now();
    const presenceIsDue = now - this.presenceSweptAt >= this.dependencies.limits.heartbeat;
    if (presenceIsDue) this.presenceSweptAt = now;
    for (const socket of this.parts.socket.sockets) {
      this.sweepSocket(socket, now);
      for (const session of socket.sessions()) this.parts.access.sweep(session, today);
    }
    for (const live of this.parts.documents.all()) {
      live.states.dropIfUnusedSince(now - STATE_CACHE_UNUSED);
      live.recent.dropOlderReadBefore(now - STATE_CACHE_UNUSED);
      if (presenceIsDue) this.parts.awareness.sweep(live, now);
    }
    this.parts.absentPeople.sweep();
    this.parts.carried.sweep();
    const { sessions, documents } = this.stats();
    this.parts.metrics.sessions.set(sessions);
    this.parts.metrics.documents.set(documents);
  }

  private sweepSocket(socket: ClientSocket, now: number): void {
    const { preAuthDeadline, idleTimeout } = this.dependencies.limits;
    if (!socket.inbound.isAuthenticated && now - socket.openedAt > preAuthDeadline) {
      socket.close('authentication-timeout');
    } else if (this.silentPeers.isGone(socket, now)) {
      socket.giveUp();
    } else if (socket.idleSince !== undefined && now - socket.idleSince > idleTimeout) {
      socket.close('connection-idle');
    } else if (now - socket.out.lastSentAt > KEEP_ALIVE) {
      socket.keepAlive();
    }
  }

  // ── ending ─────────────────────────────────────────────────────────────────

  /** No new sockets; what is in flight is committed; then the clients are sent away, spread over a time. */
  async drain({ spread }: DrainOptions): Promise<void> {
    this.draining = true;
    await this.settle(SETTLE);
    const sockets = [...this.parts.socket.sockets];
    const pause = sockets.length > 1 ? spread / sockets.length : 0;
    for (const socket of sockets) {
      socket.sendAway('server-draining', Math.round(Math.random() * RETRY_SPREAD));
      if (pause > 0) await delay(pause);
    }
  }

  private async settle(within: number): Promise<void> {
    const commits = [...this.parts.documents.all()].map((live) => live.settled().catch(() => undefined));
    await Promise.race([Promise.all(commits), delay(within, undefined, { ref: false })]);
  }

  async stop(): Promise<void> {
    this.stopSweeping?.();
    clearImmediate(this.sweepDue);
    this.parts.absentPeople.stop();
    await this.parts.replication.stop();
    for (const socket of [...this.parts.socket.sockets]) socket.terminate();
    this.server.close();
  }
}
