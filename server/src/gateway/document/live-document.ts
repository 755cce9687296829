import {
  SYSTEM_ACTOR,
  toWeftError,
  type Clock,
  type CommittedUpdate,
  type Cursor,
  type DocumentKey,
  type Principal,
  type UpdateAnalysis,
  WeftError,
} from '@weft/common';
import type { ClientBindings } from '@weft/authorize';
import { emptyUpdate, eraseUpdates, neutralizeUpdate } from '@weft/guard';
import { AWARENESS_LIMITS, AwarenessGate } from '@weft/presence';
import type { AppendEntry, DocumentLog, DocumentLogEvents, Reauthorization } from '@weft/update-log';
import type { Document } from '@hocuspocus/server';
import * as Y from 'yjs';
import type { Owed } from './acknowledgements.ts';
import { CommitProgress } from './commit-progress.ts';
import { FanOut } from '../fan-out/fan-out.ts';
import { updateBody } from '../wire/frames.ts';
import type { GatewayMetrics } from '../gateway-metrics.ts';
import type { GatewayLimits } from '../limits.ts';
import { RecentChanges } from './recent-changes.ts';
import type { Participant } from './participant.ts';
import { StateCache } from './state-cache.ts';
import { StrictWrites } from './strict-writes.ts';
import { loadUnheard, takeOver, type HeardHooks } from './take-over.ts';
import { Turn } from './turn.ts';
import type { Written } from './written.ts';

/** Yjs transaction origins of changes that stand in the log already. */
export const COMMITTED = { source: 'redis', weft: 'committed' } as const;

/** The origin of updates that came over HTTP. */
const REQUEST = { source: 'local', weft: 'request' } as const;

/** The origin of several updates that are written as one change. */
const TOGETHER = { source: 'local', weft: 'together' } as const;

/** What a document needs of what is around it. The same for all. */
export interface DocumentPorts {
  readonly clock: Clock;
  readonly limits: Pick<GatewayLimits, 'awarenessBytes' | 'joinWindow' | 'joinWindowPerReceiver'>;
  readonly metrics: Pick<GatewayMetrics, 'acknowledged'>;
  readonly bindings: Pick<ClientBindings, 'ownerOf'>;
  readonly userHooks: HeardHooks;
  /** The other instances. */
  readonly replication: {
    opened(live: LiveDocument): void;
    committed(live: LiveDocument, rows: readonly CommittedUpdate[]): void;
    /** Whether people on other instances wait for what is written here. */
    isShared(live: LiveDocument): boolean;
  };
  /** The permissions have changed since `entries` were allowed: which of them may still stand? */
  decideAgain(
    live: LiveDocument,
    policyRev: number,
    entries: readonly AppendEntry[],
  ): Promise<readonly Reauthorization[]>;
  /** What is in memory is no longer what the log has, and is given up. */
  discard(live: LiveDocument, error?: WeftError): void;
}

interface Addressed {
  readonly address: Uint8Array;
  readonly wireSessionId: string | null;
}

/**
 * One open document of this instance: the Yjs document that Hocuspocus holds, its log, its sessions. An update is
 * written to it in one of two ways: live (apply, show, log, acknowledge) or strict (log, apply, show,
 * acknowledge).
 */
export class LiveDocument {
  readonly key: DocumentKey;
  readonly sessions = new Set<Participant>();
  readonly fanOut: FanOut;
  readonly turn = new Turn((work) => this.writeTogether(work));
  /** Filled from the log before the document has been made of it. */
  readonly states = new StateCache(() => Y.encodeStateAsUpdate(this.document));
  recent = new RecentChanges();
  log!: DocumentLog;
  /** Set when Hocuspocus has made it, which is before the first session is open. */
  document!: Document;
  awareness!: AwarenessGate;
  /** Bytes of everything it was made of: a bound of its size, not the size itself. */
  bytes = 0;
  /** The newest permission revision that is known here. */
  policyRev = 0;
  /** Yjs clients that asked for presence and are bound to nobody yet. */
  readonly unboundClients = new Set<number>();
  readonly progress = new CommitProgress();
  /** Its sessions are gone or going and it takes no more writes. */
  discarded = false;
  private plainAddress: Uint8Array | undefined;
  private readonly ports: DocumentPorts;
  private readonly written = new WeakMap<AppendEntry, Written>();
  private readonly ackWaiters = new Set<Participant>();
  private readonly strictWrites = new StrictWrites();
  private writing: Written | undefined;
  /** Whose change is being applied, who is therefore not sent it. */
  private author: Participant | undefined;
  /** Those whose updates the open transaction holds. */
  private together: Set<Participant | undefined> | undefined;

  constructor(ports: DocumentPorts, key: DocumentKey) {
    this.ports = ports;
    this.key = key;
    this.fanOut = new FanOut({
      receivers: this.sessions,
      clock: ports.clock,
      maxWindow: ports.limits.joinWindow,
      windowPerReceiver: ports.limits.joinWindowPerReceiver,
    });
  }

  /** The bytes of the address that most sessions have in common: it is held once. */
  sharedAddress({ address, wireSessionId }: Addressed): Uint8Array {
    if (wireSessionId !== null) return address;
    return (this.plainAddress ??= address);
  }

  sawRevision(policyRev: number): void {
    if (policyRev > this.policyRev) this.policyRev = policyRev;
  }

  get strict(): boolean {
    return this.log.mode === 'strict';
  }

  // ── opening and closing ────────────────────────────────────────────────────

  /** The log has been read. */
  opened(log: DocumentLog): void {
    this.log = log;
    this.policyRev = log.loaded.policyRev;
    const { snapshot, tail, seq } = log.loaded;
    this.progress.seq = seq;
    const updates = tail.map(({ update }) => update);
    if (snapshot) this.states.seed(snapshot, updates, this.ports.clock.now());
  }

  /** Puts what was read from the log into the document that Hocuspocus has made. */
  fill(document: Document): void {
    this.document = document;
    const { snapshot, tail, seq } = this.log.loaded;
    const rows = tail.map(({ update }) => update);
    const updates = snapshot ? [snapshot, ...rows] : rows;
    loadUnheard(document, () => {
      for (const update of updates) Y.applyUpdate(document, update, COMMITTED);
    });
    this.bytes = updates.reduce((sum, { length }) => sum + length, 0);
    this.recent = new RecentChanges();
    this.recent.seed(seq - tail.length, tail);
  }

  /** Hocuspocus has hooked up what it does on changes, and that is replaced. */
  takeOver(document: Document): void {
    takeOver(document, this.ports.userHooks, (update, origin) => this.changed(update, origin));
    this.awareness = new AwarenessGate({
      awareness: document.awareness,
      clock: this.ports.clock,
      limits: { ...AWARENESS_LIMITS, stateBytes: this.ports.limits.awarenessBytes },
      mayClaim: (client, principal) => this.mayClaim(client, principal),
    });
    this.ports.replication.opened(this);
    this.log.forgetLoaded();
  }

  private mayClaim(client: number, principal: Principal): boolean {
    const owner = this.ports.bindings.ownerOf(this.key, client);
    if (owner === undefined) this.unboundClients.add(client);
    return owner === principal.user;
  }

  close(): void {
    this.discarded = true;
    void this.log?.close();
  }

  // ── writing ────────────────────────────────────────────────────────────────

  /** Writes an authorized update of a session; the acknowledgement follows when it is committed. */
  write(session: Participant, analysis: UpdateAnalysis): void | Promise<void> {
    const done = this.writeUnanswered(session, analysis, 'edit');
    this.owe(session, true);
    return done;
  }

  /** The same for an update, or a part of one, whose answer the caller owes. */
  writeUnanswered(
    session: Participant,
    analysis: UpdateAnalysis,
    kind: Written['kind'],
  ): void | Promise<void> {
    const { principal } = session;
    return this.commit({
      principal,
      session,
      policyRev: session.access.policyRev,
      analysis,
      kind,
      ticket: 0,
      refused: false,
    });
  }

  /**
   * What became garbage at once, since it hangs on something that is gone, its author still shows: Yjs does not
   * relay its deletion, so the author is told.
   */
  private collapse({ session, analysis }: Written): void {
    if (analysis.collapsed.length > 0) session?.sendNow(updateBody(neutralizeUpdate(analysis.collapsed)));
  }

  /** In strict mode the promise is settled when the update is applied, which the next one may build on. */
  commit(written: Written): void | Promise<void> {
    if (this.strict) return this.writeStrict(written);
    this.apply(written);
  }

  /**
   * What `work` writes becomes one change, and one message to everybody. Each update stays a row of its own: what the
   * guard has found in it, which is in the document when the next one is looked at.
   */
  private writeTogether(work: () => void): void {
    const { userHooks } = this.ports;
    const heard = userHooks.has('onChange') || userHooks.has('onStoreDocument');
    // Users' hooks are told of each change, and by whom; in strict mode nothing is applied now.
    if (this.strict || heard) return work();
    this.together = new Set();
    try {
      Y.transact(this.document, work, TOGETHER, false);
    } catch (cause) {
      this.ports.discard(this, new WeftError('document-reload', { cause }));
    } finally {
      this.together = undefined;
    }
  }

  private apply(written: Written): void {
    this.writing = written;
    this.author = written.session;
    try {
      this.change(written.analysis.update, written.session?.origin ?? REQUEST);
    } catch (cause) {
      // The guard let something through that Yjs cannot take. What is in memory can no longer be trusted.
      this.ports.discard(
        this,
        cause instanceof WeftError ? cause : new WeftError('document-reload', { cause }),
      );
    } finally {
      this.writing = undefined;
      this.author = undefined;
    }
    this.collapse(written);
  }

  /** Applies what is not in the log; {@link changed} logs it, except in a transaction of several. */
  private change(update: Uint8Array, origin: unknown): void {
    Y.applyUpdate(this.document, update, origin);
    if (!this.together) return;
    this.together.add(this.author);
    this.bytes += update.length;
    this.append(update, this.writing);
  }

  private writeStrict(written: Written): Promise<void> {
    this.append(written.analysis.update, written);
    return this.strictWrites.add(written);
  }

  private append(update: Uint8Array, written: Written | undefined): void {
    const entry = {
      update,
      actor: written?.principal.user ?? SYSTEM_ACTOR,
      session: written?.session?.id ?? '',
      kind: written?.kind ?? 'system',
      policyRev: written?.policyRev ?? this.policyRev,
      awaited: this.strict || this.ports.replication.isShared(this),
    } satisfies AppendEntry;
    const ticket = this.log.append(entry);
    this.progress.lastTicket = ticket;
    if (!written) return;
    written.ticket = ticket;
    this.written.set(entry, written);
  }

  /** Every change of the Yjs document arrives here, synchronously, without what was known before. */
  private changed(update: Uint8Array, origin: unknown): void {
    this.states.append(update);
    this.recent.append(update, this.ports.clock.now());
    if (origin === TOGETHER) return this.fanOut.broadcastUpdate(update, only(this.together));
    this.bytes += update.length;
    this.fanOut.broadcastUpdate(update, this.author);
    if (origin === COMMITTED || this.discarded) return;
    const { writing } = this;
    // Yjs' own clean-ups follow an update within the same call, under no origin.
    const own = writing !== undefined && origin === (writing.session?.origin ?? REQUEST);
    try {
      this.append(update, own ? writing : undefined);
    } catch (error) {
      // Shown, but never to be saved: an exception here would leave Yjs in the middle of its transaction.
      queueMicrotask(() => this.ports.discard(this, toWeftError(error)));
    }
  }

  /** Undoes for everybody, its author included, an update that was never applied here. */
  repair(session: Participant, analysis: UpdateAnalysis): void {
    const update = neutralizeUpdate(analysis.authors);
    this.change(update, null);
    // What Yjs tells of it is the range alone: here it never held anything that could be deleted. The author's copy
    // has the content, and needs the deletion.
    session.sendNow(updateBody(update));
  }

  /** Rows of other instances, in order, which the log has already. */
  applyCommitted(rows: readonly CommittedUpdate[]): void {
    for (const row of rows) Y.applyUpdate(this.document, row.update, COMMITTED);
    this.progress.received(rows);
    this.log.expect(this.progress.seq);
  }

  // ── acknowledging ──────────────────────────────────────────────────────────

  /** Owes the session one SyncStatus, due when everything written so far is committed. */
  owe(session: Participant, saved: boolean): void {
    session.acknowledgements.owe(this.progress.lastTicket, saved);
    this.settleAcknowledgements(session);
  }

  oweLater(session: Participant): Owed {
    this.ackWaiters.add(session);
    return session.acknowledgements.oweLater();
  }

  /** The session's client has said all that was lacking here. */
  synced(session: Participant): void {
    session.acknowledgements.synced();
    this.settleAcknowledgements(session);
  }

  /** Sends a session the answers that are due, and remembers it while others are not. */
  settleAcknowledgements(session: Participant): void {
    const { acknowledgements } = session;
    const count = acknowledgements.settle(this.progress.committedTicket);
    if (count > 0) {
      this.ports.metrics.acknowledged.inc({}, count);
      this.fanOut.flushSoon(session);
    }
    if (acknowledgements.waiting) this.ackWaiters.add(session);
    else this.ackWaiters.delete(session);
  }

  /** Where the history stands that this instance knows to be committed. */
  get position(): Cursor {
    return { epoch: this.log.epoch, seq: this.progress.seq };
  }

  /** Resolves when everything written so far is committed; rejects when it can no longer be. */
  async settled(): Promise<Cursor> {
    await this.progress.settled();
    return this.position;
  }

  // ── what the log says ──────────────────────────────────────────────────────

  readonly logEvents: DocumentLogEvents = {
    committed: (rows, throughTicket) => this.committed(rows, throughTicket),
    reauthorize: (policyRev, entries) => this.ports.decideAgain(this, policyRev, entries),
    failed: (error) => this.ports.discard(this, error),
  };

  private committed(rows: readonly CommittedUpdate[], throughTicket: number): void {
    this.progress.committed(rows, throughTicket);
    this.strictWrites.applyThrough(throughTicket, (written) => this.applyStrict(written));
    this.ports.replication.committed(this, rows);
    for (const session of this.ackWaiters) this.settleAcknowledgements(session);
    this.progress.tell();
  }

  private applyStrict(written: Written): void {
    this.author = written.session;
    Y.applyUpdate(this.document, written.analysis.update, COMMITTED);
    this.author = undefined;
    this.collapse(written);
  }

  /** What is known of an entry; nothing of the server's own. */
  writtenOf(entry: AppendEntry): Written | undefined {
    return this.written.get(entry);
  }

  /** Undoes updates that may not stand. Returns what is logged in the place of each. */
  takeBack(refused: readonly Written[]): readonly Uint8Array[] {
    if (this.strict) {
      return refused.map((written) => {
        this.strictWrites.drop(written);
        return emptyUpdate;
      });
    }
    const { updates, restores } = eraseUpdates(
      this.document,
      refused.map(({ analysis }) => analysis.update),
    );
    for (const update of updates) Y.applyUpdate(this.document, update, COMMITTED);
    // What they deleted or replaced does not come back to those who saw that: they start from the log again.
    if (restores || refused.some(({ analysis }) => analysis.deletes)) queueMicrotask(() => this.rebuildAll());
    return updates;
  }

  private rebuildAll(): void {
    for (const session of [...this.sessions]) session.end('document-rebuild');
    this.ports.discard(this);
  }

  /** Loses everything that was not committed; the log has the rest. */
  abandon(error: WeftError): void {
    this.discarded = true;
    this.strictWrites.abandon();
    this.progress.abandon(error);
  }

  leave(session: Participant): void {
    this.sessions.delete(session);
    this.ackWaiters.delete(session);
  }
}

function only<T>(values: ReadonlySet<T> = new Set()): T | undefined {
  const [first] = values;
  return values.size === 1 ? first : undefined;
}
