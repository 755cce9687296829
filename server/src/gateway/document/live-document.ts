import {
  type Clock,
  type CommittedUpdate,
  type Cursor,
  type DocumentKey,
  type ErrorCode,
  type Principal,
  WeftError,
} from '@weft/common';
import type { ClientBindings } from '@weft/authorize';
import { AWARENESS_LIMITS, AwarenessGate } from '@weft/presence';
import type { AppendEntry, DocumentLog, DocumentLogEvents, Reauthorization } from '@weft/update-log';
import type { Document } from '@hocuspocus/server';
import * as Y from 'yjs';
import { CommitProgress } from './commit-progress.ts';
import { DocumentSize } from './document-size.ts';
import { COMMITTED, DocumentWriter, type WrittenDocument } from './document-writer.ts';
import { DueAnswers } from './due-answers.ts';
import { FanOut } from '../fan-out/fan-out.ts';
import type { GatewayMetrics } from '../gateway-metrics.ts';
import type { GatewayLimits } from '../limits.ts';
import { RecentChanges } from './recent-changes.ts';
import type { Participant } from './participant.ts';
import { StateCache } from './state-cache.ts';
import { loadUnheard, takeOver, type HeardHooks } from './take-over.ts';
import { Turn } from './turn.ts';

/** What a document needs of what is around it. The same for all. */
export interface DocumentPorts {
  readonly clock: Clock;
  readonly limits: Pick<
    GatewayLimits,
    'awarenessBytes' | 'documentBytes' | 'joinWindow' | 'joinWindowPerReceiver'
  >;
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
 * How far its opening has come. Each stage has what the ones before it had, and its first session finds it open: the
 * log has been read, Hocuspocus has made the Yjs document of it, users' extensions have loaded it too and it is taken
 * over.
 */
type Stage =
  | { readonly is: 'reading' }
  | { readonly is: 'read'; readonly log: DocumentLog }
  | { readonly is: 'made'; readonly log: DocumentLog; readonly document: Document }
  | {
      readonly is: 'open';
      readonly log: DocumentLog;
      readonly document: Document;
      readonly awareness: AwarenessGate;
    };

/**
 * One open document of this instance: the Yjs document that Hocuspocus holds, its log, its sessions, and what is kept of
 * it for those who join or come back.
 */
export class LiveDocument implements WrittenDocument {
  readonly key: DocumentKey;
  readonly sessions = new Set<Participant>();
  readonly fanOut: FanOut;
  readonly writer = new DocumentWriter(this);
  readonly turn = new Turn((work) => this.writer.writeTogether(work));
  readonly progress = new CommitProgress();
  readonly answers: DueAnswers;
  readonly size: DocumentSize;
  /** Filled from the log before the document has been made of it. */
  readonly states = new StateCache(() => Y.encodeStateAsUpdate(this.document));
  recent = new RecentChanges();
  /** The newest permission revision that is known here. Sessions hear of it by the name, which may be another's by now. */
  policyRev = 0;
  /** A revision that is this document's for sure, and of no other that bears or bore its name. */
  ownPolicyRev = 0;
  /** Yjs clients that asked for presence and are bound to nobody yet. */
  readonly unboundClients = new Set<number>();
  /** Its sessions are gone or going and it takes no more writes. */
  discarded = false;
  /** Why it was given up. */
  givenUpFor: ErrorCode | undefined;
  private stage: Stage = { is: 'reading' };
  private plainAddress: Uint8Array | undefined;
  private readonly ports: DocumentPorts;

  constructor(ports: DocumentPorts, key: DocumentKey) {
    this.ports = ports;
    this.key = key;
    this.fanOut = new FanOut({
      receivers: this.sessions,
      maxWindow: ports.limits.joinWindow,
      windowPerReceiver: ports.limits.joinWindowPerReceiver,
    });
    this.size = new DocumentSize({
      limit: ports.limits.documentBytes,
      measure: () => Y.encodeStateAsUpdate(this.document).length,
    });
    const { progress, fanOut } = this;
    this.answers = new DueAnswers({ progress, fanOut, metrics: ports.metrics });
  }

  /** The bytes of the address that most sessions have in common: it is held once. */
  sharedAddress({ address, wireSessionId }: Addressed): Uint8Array {
    if (wireSessionId !== null) return address;
    return (this.plainAddress ??= address);
  }

  sawRevision(policyRev: number): void {
    if (policyRev > this.policyRev) this.policyRev = policyRev;
  }

  /** From now on what changes it is logged. */
  get isOpen(): boolean {
    return this.stage.is === 'open';
  }

  get log(): DocumentLog {
    const { stage } = this;
    if (stage.is === 'reading') throw tooEarly(stage);
    return stage.log;
  }

  /** The Yjs document. */
  get document(): Document {
    const { stage } = this;
    if (stage.is !== 'open' && stage.is !== 'made') throw tooEarly(stage);
    return stage.document;
  }

  /** The same, if it has been made yet. */
  get made(): Document | undefined {
    const { stage } = this;
    return stage.is === 'open' || stage.is === 'made' ? stage.document : undefined;
  }

  get awareness(): AwarenessGate {
    const { stage } = this;
    if (stage.is !== 'open') throw tooEarly(stage);
    return stage.awareness;
  }

  get strict(): boolean {
    return this.log.mode === 'strict';
  }

  get isShared(): boolean {
    return this.ports.replication.isShared(this);
  }

  get userHooks(): HeardHooks {
    return this.ports.userHooks;
  }

  // ── opening and closing ────────────────────────────────────────────────────

  /** The log has been read. */
  opened(log: DocumentLog): void {
    this.stage = { is: 'read', log };
    this.policyRev = this.ownPolicyRev = log.loaded.policyRev;
    const { snapshot, tail, seq } = log.loaded;
    this.progress.seq = seq;
    const updates = tail.map(({ update }) => update);
    if (snapshot) this.states.seed(snapshot, updates, this.ports.clock.now());
  }

  /** Puts what was read from the log into the document that Hocuspocus has made. */
  fill(document: Document): void {
    const { log } = this;
    this.stage = { is: 'made', log, document };
    const { snapshot, tail, seq } = log.loaded;
    const rows = tail.map(({ update }) => update);
    const updates = snapshot ? [snapshot, ...rows] : rows;
    loadWhole(document, updates);
    for (const { length } of updates) this.size.grow(length);
    this.recent = new RecentChanges();
    this.recent.seed(seq - tail.length, tail);
  }

  /** Hocuspocus has hooked up what it does on changes, and that is replaced. */
  takeOver(): void {
    const { log, document } = this;
    takeOver(document, this.ports.userHooks, (update, origin) => this.writer.changed(update, origin));
    const awareness = new AwarenessGate({
      awareness: document.awareness,
      clock: this.ports.clock,
      limits: { ...AWARENESS_LIMITS, stateBytes: this.ports.limits.awarenessBytes },
      mayClaim: (client, principal) => this.mayClaim(client, principal),
    });
    this.stage = { is: 'open', log, document, awareness };
    this.ports.replication.opened(this);
    log.forgetLoaded();
  }

  private mayClaim(client: number, principal: Principal): boolean {
    const owner = this.ports.bindings.ownerOf(this.key, client);
    if (owner === undefined) this.unboundClients.add(client);
    return owner === principal.user;
  }

  close(): void {
    this.discarded = true;
    if (this.stage.is !== 'reading') void this.stage.log.close();
  }

  // ── what changes it ────────────────────────────────────────────────────────

  show(update: Uint8Array, author: Participant | undefined): void {
    const at = this.ports.clock.now();
    this.states.append(update);
    this.recent.append(update, at);
    this.fanOut.broadcastUpdate({ update, from: author, at });
  }

  discard(error?: WeftError): void {
    this.ports.discard(this, error);
  }

  rebuildAll(): void {
    for (const session of [...this.sessions]) session.end('document-rebuild');
    this.discard();
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
    failed: (error) => this.discard(error),
  };

  private committed(rows: readonly CommittedUpdate[], throughTicket: number): void {
    this.progress.committed(rows, throughTicket);
    this.writer.committedThrough(throughTicket);
    this.ports.replication.committed(this, rows);
    this.answers.settleAll();
    this.progress.tell();
  }

  /** Loses everything that was not committed; the log has the rest. */
  abandon(error: WeftError): void {
    this.discarded = true;
    this.givenUpFor = error.code;
    this.writer.abandon();
    this.progress.abandon(error);
  }

  leave(session: Participant): void {
    this.sessions.delete(session);
    this.answers.forget(session);
  }
}

function tooEarly({ is }: Stage): WeftError {
  return new WeftError('internal', { detail: `a document was used while it was only ${is}` });
}

/** @throws WeftError `document-damaged`: a part that looked like the whole would be written on as if the rest had never been */
function loadWhole(document: Document, updates: readonly Uint8Array[]): void {
  try {
    loadUnheard(document, () => {
      for (const update of updates) Y.applyUpdate(document, update, COMMITTED);
    });
  } catch (cause) {
    throw new WeftError('document-damaged', { cause });
  }
  const { pendingStructs, pendingDs } = document.store;
  if (pendingStructs !== null || pendingDs !== null)
    throw new WeftError('document-damaged', { detail: 'what its edits build on is missing' });
}
