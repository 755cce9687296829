import type { IncomingMessage } from 'node:http';
import type { AuditLog } from '@weft/audit';
import type { TokenVerifier } from '@weft/auth-jwt';
import type { ClientBindings, Gate } from '@weft/authorize';
import type { Clock, DocumentKey, Logger, Metrics, Principal } from '@weft/common';
import type { GuardLimits } from '@weft/guard';
import { KeyedCounter } from '@weft/limits';
import type { PresenceRegistry } from '@weft/presence';
import type { RedisBackplane } from '@weft/redis-backplane';
import type { UpdateLog } from '@weft/update-log';
import type { Extension } from '@hocuspocus/server';
import { Barrier } from './access/barrier.ts';
import { SessionAccess } from './access/session-access.ts';
import { CarriedClocks } from './carried/carried-clocks.ts';
import { Authorship } from './carried/authorship.ts';
import { CarriedDecision } from './carried/carried-decision.ts';
import { Equivocation } from './carried/equivocation.ts';
import { CarriedWork } from './carried/carried-work.ts';
import type { ClientSocket, ClientSocketPorts } from './connection/client-socket.ts';
import { presentedTokens, refusedTokens } from './connection/inbound-bounds.ts';
import { FrameHandler } from './connection/frame-handler.ts';
import { LiveDocuments } from './document/live-documents.ts';
import { Replication, type ReplicationEvents } from './document/replication.ts';
import { GatewayMetrics } from './gateway-metrics.ts';
import { Walks } from './guard/walks.ts';
import { UserHooks } from './hocuspocus/user-hooks.ts';
import { WeftHocuspocus } from './hocuspocus/weft-hocuspocus.ts';
import type { GatewayLimits } from './limits.ts';
import { SessionOpening } from './opening/session-opening.ts';
import { AbsentPeople } from './presence/absent-people.ts';
import { AwarenessRelay } from './presence/awareness-relay.ts';
import { PresentPeople } from './presence/present-people.ts';
import type { RefusedOrigins } from '../refused-origins.ts';
import { sessionRates } from './session/rates.ts';
import { Resumption } from './sync/resumption.ts';
import { SyncResponder } from './sync/sync-responder.ts';
import { Submissions } from './updates/submissions.ts';
import { UpdatePipeline } from './updates/update-pipeline.ts';

export interface GatewayDependencies {
  readonly instance: string;
  readonly limits: GatewayLimits;
  readonly guardLimits: Partial<GuardLimits>;
  /** For how long something has been: it does not jump when the time of the machine is set. */
  readonly clock: Clock;
  /** For what has a time of day: the ends of tokens and grants, the beginning of a history. */
  readonly wallClock: Clock;
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
  readonly refusedOrigins: RefusedOrigins;
  /** Users' own Hocuspocus extensions. */
  readonly extensions: readonly Extension[];
}

/** What the gateway itself works with. */
export interface GatewayParts {
  readonly metrics: GatewayMetrics;
  /** Of every socket. */
  readonly socket: ClientSocketPorts;
  readonly documents: LiveDocuments;
  readonly access: SessionAccess;
  readonly awareness: AwarenessRelay;
  readonly absentPeople: AbsentPeople;
  readonly carried: CarriedWork;
  readonly replication: Replication;
  readonly submissions: Submissions;
}

/**
 * Makes the parts of the gateway and joins them, each with no more than it names as its ports. They stand on those made
 * before them. What runs the other way are events, and the few functions that stand here as arrows: Hocuspocus asks
 * for documents that others asked it to make, and the log tells of rows and revisions.
 */
export function makeParts(dependencies: GatewayDependencies): GatewayParts {
  const { limits, clock, extensions, log, logger, guardLimits } = dependencies;
  const metrics = new GatewayMetrics(dependencies.metrics);
  const shared = { ...dependencies, metrics };
  const userHooks = new UserHooks(extensions);

  const hocuspocus = new WeftHocuspocus({
    logger,
    extensions,
    userHooks,
    documents: {
      get: (key) => documents.get(key),
      acquire: (key) => documents.acquire(key),
      release: (live) => documents.release(live),
      mayUnload: (key) => documents.mayUnload(key),
    },
    publishStateless: (live, payload) => replication.publishStateless(live, payload),
  });
  const events: ReplicationEvents = {
    committed: (live, rows) => clocks.observe(live, rows),
    applied: (live) => carried.changed(live),
    lost: (live, error) => documents.discard(live, error),
    awareness: (live, update) => awareness.observe(live, update),
    peerJoined: (live) => awareness.introduce(live),
    policyRevised: (live, revision) => access.revised(live, revision),
  };
  const replication = new Replication({ ...dependencies, events });
  const access = new SessionAccess({ ...shared, documents: () => documents.all() });
  const barrier = new Barrier({ ...shared, access });
  const documents: LiveDocuments = new LiveDocuments({
    ...shared,
    replication,
    hocuspocus,
    document: {
      ...shared,
      userHooks,
      replication,
      decideAgain: (live, policyRev, entries) => barrier.decideAgain(live, policyRev, entries),
      discard: (live, error) => documents.discard(live, error),
    },
  });

  const people = new PresentPeople(dependencies.registry);
  const awareness = new AwarenessRelay({ ...shared, userHooks, replication, people });
  const absentPeople = new AbsentPeople({ ...shared, awareness, documents });

  const walks = new Walks({
    clock,
    share: limits.costlyShare,
    patience: limits.costlyPatience,
    guardLimits,
  });
  const clocks = new CarriedClocks({ readCarried: (id) => log.readCarried(id), logger, guardLimits });
  const authorship = new Authorship(shared);
  const equivocation = new Equivocation({ ...shared, clocks });
  const decision = new CarriedDecision({ ...shared, access, walks, authorship, clocks, equivocation });
  const carried = new CarriedWork({ ...shared, access, walks, authorship, decision });
  const updates = new UpdatePipeline({
    ...shared,
    access,
    walks,
    authorship,
    equivocation,
    carried,
    replication,
  });
  const submissions = new Submissions({ ...shared, access, walks, clocks, documents });

  const resumption = new Resumption({ ...shared, replication });
  const sync = new SyncResponder({ ...shared, clocks, resumption, updates });
  const opening = new SessionOpening({
    ...shared,
    access,
    documents,
    hocuspocus,
    sync,
    people,
    awareness,
    session: {
      ...shared,
      rates: sessionRates(limits, clock),
      presenceRightChanged: (session) => awareness.rightChanged(session),
    },
  });
  const frames = new FrameHandler({ access, userHooks, sync, updates, awareness });
  const socket = {
    ...shared,
    sockets: new Set<ClientSocket>(),
    addresses: new KeyedCounter(limits.connectionsPerAddress),
    people: new KeyedCounter(limits.connectionsPerPerson),
    presented: presentedTokens(limits, clock),
    refused: refusedTokens(limits, clock),
    channel: { ...shared, frames, opening },
  };
  return {
    metrics,
    socket,
    documents,
    access,
    awareness,
    absentPeople,
    carried,
    replication,
    submissions,
  };
}
