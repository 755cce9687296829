import {
  SYSTEM_ACTOR,
  toWeftError,
  WeftError,
  type CommittedUpdate,
  type UpdateAnalysis,
} from '@weft/common';
import { emptyUpdate, eraseUpdates, neutralizeUpdate } from '@weft/guard';
import type { AppendEntry, DocumentLog } from '@weft/update-log';
import * as Y from 'yjs';
import { updateBody } from '../wire/frames.ts';
import type { CommitProgress } from './commit-progress.ts';
import type { DocumentSize } from './document-size.ts';
import type { Participant } from './participant.ts';
import { StrictWrites } from './strict-writes.ts';
import type { HeardHooks } from './take-over.ts';
import type { Written } from './written.ts';

/** Yjs transaction origins of changes that stand in the log already. */
export const COMMITTED = { source: 'redis', weft: 'committed' } as const;

/** The origin of updates that came over HTTP. */
const REQUEST = { source: 'local', weft: 'request' } as const;

/** The origin of several updates that are written as one change. */
const TOGETHER = { source: 'local', weft: 'together' } as const;

/** An open document, as far as it is written to. */
export interface WrittenDocument {
  readonly document: Y.Doc;
  readonly log: DocumentLog;
  readonly strict: boolean;
  readonly discarded: boolean;
  readonly progress: CommitProgress;
  readonly size: DocumentSize;
  /** The newest permission revision that is known here. */
  readonly policyRev: number;
  /** Whether people on other instances wait for what is written here. */
  readonly isShared: boolean;
  readonly userHooks: HeardHooks;
  /** Tells everybody of a change, but `author`, who has it. */
  show(update: Uint8Array, author: Participant | undefined): void;
  /** What is in memory is no longer what the log has, and is given up. */
  discard(error: WeftError): void;
  /** Its clients have what can't be taken back from them, and start from the log again. */
  rebuildAll(): void;
}

/**
 * Writes updates to one document, in one of two ways: live (apply, show, log) or strict (log, apply, show). The answer
 * to whoever sent one is for the caller to give.
 */
export class DocumentWriter {
  private readonly live: WrittenDocument;
  private readonly written = new WeakMap<AppendEntry, Written>();
  private readonly strictWrites = new StrictWrites();
  private writing: Written | undefined;
  /** Whose change is being applied, who is therefore not sent it. */
  private author: Participant | undefined;
  /** Those whose updates the open transaction holds. */
  private together: Set<Participant | undefined> | undefined;

  constructor(live: WrittenDocument) {
    this.live = live;
  }

  /** Writes an authorized update of a session, or a part of one. */
  write(session: Participant, analysis: UpdateAnalysis, kind: Written['kind']): void | Promise<void> {
    const { principal, access } = session;
    const { policyRev } = access;
    return this.commit({ principal, session, policyRev, analysis, kind, ticket: 0, refused: undefined });
  }

  /**
   * In strict mode the promise is settled when the update is applied, which the next one may build on.
   *
   * @throws WeftError `document-reload` when the document has been given up: it would be shown to nobody, and not
   *   logged; `document-too-large`
   */
  commit(written: Written): void | Promise<void> {
    if (this.live.discarded) throw new WeftError('document-reload');
    this.live.size.requireRoom(written.analysis.update.length);
    if (this.live.strict) return this.writeStrict(written);
    this.apply(written);
  }

  /**
   * What `work` writes becomes one change, and one message to everybody. Each update stays a row of its own: what the
   * guard has found in it, which is in the document when the next one is looked at.
   */
  writeTogether(work: () => void): void {
    const { strict, userHooks, document } = this.live;
    const heard = userHooks.has('onChange') || userHooks.has('onStoreDocument');
    // Users' hooks are told of each change, and by whom; in strict mode nothing is applied now.
    if (strict || heard) return work();
    this.together = new Set();
    try {
      Y.transact(document, work, TOGETHER, false);
    } catch (cause) {
      this.live.discard(new WeftError('document-reload', { cause }));
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
      this.live.discard(cause instanceof WeftError ? cause : new WeftError('document-reload', { cause }));
    } finally {
      this.writing = undefined;
      this.author = undefined;
    }
    collapse(written);
  }

  /** Applies what is not in the log; {@link changed} logs it, except in a transaction of several. */
  private change(update: Uint8Array, origin: unknown): void {
    Y.applyUpdate(this.live.document, update, origin);
    if (!this.together) return;
    this.together.add(this.author);
    this.live.size.grow(update.length);
    this.append(update, this.writing);
  }

  private writeStrict(written: Written): Promise<void> {
    this.append(written.analysis.update, written);
    return this.strictWrites.add(written);
  }

  private append(update: Uint8Array, written: Written | undefined): void {
    const { live } = this;
    const entry = {
      update,
      actor: written?.principal.user ?? SYSTEM_ACTOR,
      session: written?.session?.id ?? '',
      kind: written?.kind ?? 'system',
      policyRev: written?.policyRev ?? live.policyRev,
      awaited: live.strict || live.isShared,
    } satisfies AppendEntry;
    const ticket = live.log.append(entry);
    live.progress.lastTicket = ticket;
    if (!written) return;
    written.ticket = ticket;
    this.written.set(entry, written);
  }

  /** Every change of the Yjs document arrives here, synchronously, without what was known before. */
  changed(update: Uint8Array, origin: unknown): void {
    const { live, writing } = this;
    if (origin === TOGETHER) return live.show(update, only(this.together));
    live.size.grow(update.length);
    live.show(update, this.author);
    if (origin === COMMITTED || live.discarded) return;
    // Yjs' own clean-ups follow an update within the same call, under no origin.
    const own = writing !== undefined && origin === (writing.session?.origin ?? REQUEST);
    try {
      this.append(update, own ? writing : undefined);
    } catch (error) {
      // Shown, but never to be saved: an exception here would leave Yjs in the middle of its transaction.
      const failure = toWeftError(error);
      live.progress.abandon(failure);
      queueMicrotask(() => live.discard(failure));
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
    const { document, progress, log } = this.live;
    for (const row of rows) Y.applyUpdate(document, row.update, COMMITTED);
    progress.received(rows);
    log.expect(progress.seq);
  }

  /** In strict mode what has been committed is applied now. */
  committedThrough(ticket: number): void {
    this.strictWrites.applyThrough(ticket, (written) => this.applyStrict(written));
  }

  private applyStrict(written: Written): void {
    this.author = written.session;
    Y.applyUpdate(this.live.document, written.analysis.update, COMMITTED);
    this.author = undefined;
    collapse(written);
  }

  /** What is known of an entry; nothing of the server's own. */
  writtenOf(entry: AppendEntry): Written | undefined {
    return this.written.get(entry);
  }

  /** Undoes updates that may not stand. Returns what is logged in the place of each. */
  takeBack(refused: readonly Written[]): readonly Uint8Array[] {
    const { live } = this;
    if (live.strict) {
      return refused.map((written) => {
        this.strictWrites.drop(written);
        return emptyUpdate;
      });
    }
    const { updates, restores } = eraseUpdates(
      live.document,
      refused.map(({ analysis }) => analysis.update),
    );
    for (const update of updates) Y.applyUpdate(live.document, update, COMMITTED);
    // What they deleted or replaced does not come back to those who saw that: they start from the log again.
    if (restores || refused.some(({ analysis }) => analysis.deletes)) queueMicrotask(() => live.rebuildAll());
    return updates;
  }

  /** What is not committed never will be. */
  abandon(): void {
    this.strictWrites.abandon();
  }
}

/**
 * What became garbage at once, since it hangs on something that is gone, its author still shows: Yjs does not relay its
 * deletion, so the author is told.
 */
function collapse({ session, analysis }: Written): void {
  if (analysis.collapsed.length > 0) session?.sendNow(updateBody(neutralizeUpdate(analysis.collapsed)));
}

function only<T>(values: ReadonlySet<T> = new Set()): T | undefined {
  const [first] = values;
  return values.size === 1 ? first : undefined;
}
