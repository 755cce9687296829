import {
  type beforeSyncPayload,
  type Connection,
  type Document,
  type Extension,
  OutgoingMessage,
} from '@hocuspocus/server';
import { HookRefusal, SyncType, type UpdateAnalysis, WeftError } from '@weft/common';
import * as Y from 'yjs';
import { analyzeUpdate } from './analyze.ts';
import type { GuardLimits } from './limits.ts';
import { neutralizeUpdate } from './neutralize.ts';

export interface GuardExtensionOptions {
  readonly limits?: Partial<GuardLimits>;
  /** Called with what an update would do, before it is applied. Throw to refuse it. */
  readonly inspect?: (analysis: UpdateAnalysis, payload: beforeSyncPayload) => void;
}

/**
 * The guard for a stock Hocuspocus: an update that is malformed, too costly or not complete ends the document
 * session with a code, before Yjs sees it.
 */
export class GuardExtension implements Extension {
  readonly extensionName = 'weft-guard';
  /** Before whatever relies on well-formed updates. */
  readonly priority = 950;
  private readonly options: GuardExtensionOptions;

  constructor(options: GuardExtensionOptions = {}) {
    this.options = options;
  }

  async beforeSync(payload: beforeSyncPayload): Promise<void> {
    if (payload.type === SyncType.Step1) return;
    try {
      this.guard(payload);
    } catch (error) {
      throw new HookRefusal(error);
    }
  }

  private guard(payload: beforeSyncPayload): void {
    const { document, connection, payload: update } = payload;
    const analysis = analyzeUpdate(document, update, this.options.limits);
    if (connection.readOnly) return;
    if (analysis.missing.length > 0) throw new WeftError('update-missing-dependencies');
    this.options.inspect?.(analysis, payload);
    if (!analysis.noop) applyExactly(document, connection, analysis);
  }
}

/**
 * Applies it here and now: other updates may come between this hook and Hocuspocus' own `applyUpdate`, and that one
 * would take a partly known struct whole. What Hocuspocus applies afterwards is known by then.
 */
function applyExactly(
  document: Document,
  connection: Connection,
  { update, collapsed }: UpdateAnalysis,
): void {
  Y.applyUpdate(document, update, { source: 'connection', connection });
  if (collapsed.length === 0) return;
  const repair = new OutgoingMessage(connection.messageAddress).createSyncMessage();
  connection.send(repair.writeUpdate(neutralizeUpdate(collapsed)).toUint8Array());
}
