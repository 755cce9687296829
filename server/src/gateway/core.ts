import type { IncomingMessage } from 'node:http';
import type { AuditLog } from '@weft/audit';
import type { TokenVerifier } from '@weft/auth-jwt';
import type { ClientBindings, Gate } from '@weft/authorize';
import type { Clock, DocumentKey, Logger, Metrics, Principal } from '@weft/common';
import type { GuardLimits } from '@weft/guard';
import { KeyedCounter, type TokenBucketOptions } from '@weft/limits';
import type { PresenceRegistry } from '@weft/presence';
import type { RedisBackplane } from '@weft/redis-backplane';
import type { UpdateLog } from '@weft/update-log';
import type { Extension } from '@hocuspocus/server';
import { AwarenessRelay } from './presence/awareness-relay.ts';
import { Barrier } from './updates/barrier.ts';
import { CarriedWork } from './carried/carried-work.ts';
import type { ClientSocket } from './connection/client-socket.ts';
import { FrameHandler } from './session/frame-handler.ts';
import { GatewayMetrics } from './gateway-metrics.ts';
import { LiveDocuments } from './document/live-documents.ts';
import { Replication } from './document/replication.ts';
import { Resumption } from './sync/resumption.ts';
import { SessionAccess } from './session/session-access.ts';
import { SessionOpening } from './session/session-opening.ts';
import { SessionPresence } from './presence/session-presence.ts';
import { SyncResponder } from './sync/sync-responder.ts';
import { UpdatePipeline } from './updates/update-pipeline.ts';
import { Walks } from './updates/walks.ts';
import { WeftHocuspocus } from './hocuspocus/weft-hocuspocus.ts';

/** Bounds of the gateway. Sizes in bytes, times in milliseconds, rates per second. */
export interface GatewayLimits {
  /** One WebSocket message. */
  readonly frameBytes: number;
  /** One Yjs update. */
  readonly updateBytes: number;
  /** A document's updates together, above which it takes no more. */
  readonly documentBytes: number;
  readonly stateVectorBytes: number;
  readonly updatesPerSecond: number;
  readonly updateBurst: number;
  /** One presence state. */
  readonly awarenessBytes: number;
  readonly awarenessPerSecond: number;
  readonly awarenessBurst: number;
  /** Bytes that may wait for a slow reader, besides whole states. */
  readonly outboundBytes: number;
  /** Bytes of a socket's frames that may wait to be handled, before it is read no further. */
  readonly inboundQueueBytes: number;
  /** The same before any token has been accepted; above it the socket is closed. */
  readonly preAuthBytes: number;
  readonly preAuthDeadline: number;
  /** A socket without an open document. */
  readonly idleTimeout: number;
  /** Between pings; a peer silent for two is gone. */
  readonly heartbeat: number;
  readonly documentsPerSocket: number;
  readonly connectionsPerAddress: number;
  readonly connectionsPerPerson: number;
  /** Documents being loaded at once, and waiting for it. */
  readonly loadConcurrency: number;
  readonly loadQueue: number;
  /** How long a document that nobody has open stays in memory. */
  readonly unloadDelay: number;
  /** How long somebody whose connection broke is still shown. */
  readonly presenceGrace: number;
  /** How long frames wait to be written together, at most and per member of the document. */
  readonly joinWindow: number;
  readonly joinWindowPerReceiver: number;
  /** Share of a core, from 0 to 1, that the long searches of one person's updates may take; all together four of it. */
  readonly costlyShare: number;
  /** How long such an update waits for its share before it is refused. */
  readonly costlyPatience: number;
  /** How long carried edits wait for their author; `Infinity`: for ever. */
  readonly carriedGrace: number;
  /** Carried edits that may wait in a document. */
  readonly carriedBytes: number;
}

export interface GatewayDependencies {
  readonly instance: string;
  readonly limits: GatewayLimits;
  readonly guardLimits: Partial<GuardLimits>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly audit: AuditLog;
  readonly verifier: TokenVerifier;
  readonly gate: Gate;
  readonly bindings: ClientBindings;
  readonly log: UpdateLog;
  readonly registry: PresenceRegistry;
  /** None: a single instance. */
  readonly backplane: RedisBackplane | undefined;
  /** Whether the token itself gives somebody the right to make a document by opening it. */
  readonly mayCreateByOpening: (principal: Principal, key: DocumentKey) => Promise<boolean>;
  /** Makes a document and its maker the owner, in one transaction. */
  readonly createDocument: (principal: Principal, key: DocumentKey) => Promise<void>;
  /** The network address that a connection counts for: the peer's, or what a trusted proxy says. */
  readonly clientAddress: (request: IncomingMessage) => string;
  /** Pages of these origins may connect; `*` for all. The server's own always may. */
  readonly allowedOrigins: readonly string[];
  /** Users' own Hocuspocus extensions. */
  readonly extensions: readonly Extension[];
}

/** The parts of the gateway, and what they share. The only place that makes them. */
export class GatewayCore {
  readonly dependencies: GatewayDependencies;
  readonly limits: GatewayLimits;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: GatewayMetrics;
  /** Shared by the buckets of all sessions. */
  readonly rates: Record<'updates' | 'awareness' | 'syncs' | 'repairs', TokenBucketOptions>;
  readonly sockets = new Set<ClientSocket>();
  /** Open connections by network address. */
  readonly addresses: KeyedCounter;
  /** Open connections by person. */
  readonly people: KeyedCounter;
  readonly hocuspocus: WeftHocuspocus;
  readonly documents: LiveDocuments;
  readonly opening: SessionOpening;
  readonly access: SessionAccess;
  readonly barrier: Barrier;
  readonly frames: FrameHandler;
  readonly sync: SyncResponder;
  readonly resumption: Resumption;
  readonly updates: UpdatePipeline;
  readonly carried: CarriedWork;
  readonly awareness: AwarenessRelay;
  readonly presence: SessionPresence;
  readonly replication: Replication;
  readonly walks: Walks;

  constructor(dependencies: GatewayDependencies) {
    this.dependencies = dependencies;
    this.limits = dependencies.limits;
    this.clock = dependencies.clock;
    this.logger = dependencies.logger;
    this.metrics = new GatewayMetrics(dependencies.metrics);
    this.rates = rates(this.limits, this.clock);
    this.addresses = new KeyedCounter(this.limits.connectionsPerAddress);
    this.people = new KeyedCounter(this.limits.connectionsPerPerson);
    this.hocuspocus = new WeftHocuspocus(this, dependencies.extensions);
    this.documents = new LiveDocuments(this);
    this.opening = new SessionOpening(this);
    this.access = new SessionAccess(this);
    this.barrier = new Barrier(this);
    this.frames = new FrameHandler(this);
    this.sync = new SyncResponder(this);
    this.resumption = new Resumption(this);
    this.updates = new UpdatePipeline(this);
    this.carried = new CarriedWork(this);
    this.awareness = new AwarenessRelay(this);
    this.presence = new SessionPresence(this);
    this.replication = new Replication(this);
    this.walks = new Walks({
      clock: this.clock,
      share: this.limits.costlyShare,
      patience: this.limits.costlyPatience,
      guardLimits: dependencies.guardLimits,
    });
  }
}

/** Each first sync may cost an encoding of the document; honest clients sync once per connection. */
const SYNCS = { rate: 1, burst: 10 };
/** Each repair is a row for everybody: enough for edits that were on their way, too few to fill a log. */
const REPAIRS = { rate: 0.5, burst: 20 };

function rates(limits: GatewayLimits, clock: Clock): GatewayCore['rates'] {
  return {
    updates: { rate: limits.updatesPerSecond, burst: limits.updateBurst, clock },
    awareness: { rate: limits.awarenessPerSecond, burst: limits.awarenessBurst, clock },
    syncs: { ...SYNCS, clock },
    repairs: { ...REPAIRS, clock },
  };
}
