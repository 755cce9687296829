import type { Access } from './access.ts';

/** Why a document session has ended. `code` is one of the server's error codes. */
export interface SessionEnd {
  readonly code: string;
  readonly message: string;
  /** Coming back helps. */
  readonly retryable: boolean;
}

/** Everything the status shown to the person depends on. */
export interface ConnectionFacts {
  readonly socket: 'connecting' | 'connected' | 'disconnected';
  /** The connection was lost, and the document has not been in sync since. */
  readonly lost: boolean;
  readonly authenticated: boolean;
  readonly synced: boolean;
  /** Changes the server has not acknowledged, as the provider counts them. */
  readonly unsyncedChanges: number;
  /** The local copy is written to the browser's database. */
  readonly keptLocally: boolean;
  /** The person has waited for the server longer than it takes while all is well. */
  readonly overdue: boolean;
  readonly access: Access | undefined;
  readonly end: SessionEnd | undefined;
}

export type StatusKind =
  'connecting' | 'saved' | 'saving' | 'not-saved' | 'offline' | 'read-only' | 'access-removed' | 'closed';

export interface Status {
  readonly kind: StatusKind;
  readonly label: string;
  /** For narrow screens; the label stays the accessible name. */
  readonly short: string;
}

const STATUS = {
  connecting: { kind: 'connecting', label: 'Connecting…', short: 'Connecting…' },
  saved: { kind: 'saved', label: 'Saved', short: 'Saved' },
  saving: { kind: 'saving', label: 'Saving…', short: 'Saving…' },
  notSaved: {
    kind: 'not-saved',
    label: 'Not saved yet — the server can’t save at the moment, your changes are kept on this device',
    short: 'Not saved yet',
  },
  notSavedInTab: {
    kind: 'not-saved',
    label: 'Not saved yet — the server can’t save at the moment, your changes are kept in this tab only',
    short: 'Not saved yet',
  },
  stillConnecting: {
    kind: 'connecting',
    label: 'Still connecting — the server can’t open the document at the moment',
    short: 'Still connecting…',
  },
  readOnly: { kind: 'read-only', label: 'Read only', short: 'Read only' },
  accessRemoved: { kind: 'access-removed', label: 'Access removed', short: 'Access removed' },
  closed: { kind: 'closed', label: 'Not connected', short: 'Not connected' },
  offline: { kind: 'offline', label: 'Offline — changes are kept on this device', short: 'Offline' },
  offlineInTab: {
    kind: 'offline',
    label: 'Offline — changes are kept in this tab only',
    short: 'Offline',
  },
  offlineReader: {
    kind: 'offline',
    label: 'Offline — this is the last copy on this device',
    short: 'Offline',
  },
} as const satisfies Record<string, Status>;

/** The only place that decides what people are told. "Saved" is never a guess: the server has said so. */
export function statusOf(facts: ConnectionFacts): Status {
  const { end, access } = facts;
  if (end?.code === 'access-removed') return STATUS.accessRemoved;
  if (end && !end.retryable) return STATUS.closed;

  const reader = access !== undefined && !access.writesText && !access.writesComments;
  if (facts.lost && facts.socket !== 'connected') {
    if (reader) return STATUS.offlineReader;
    return facts.keptLocally ? STATUS.offline : STATUS.offlineInTab;
  }
  if (end || facts.socket !== 'connected' || !facts.authenticated || !facts.synced) {
    return facts.overdue ? STATUS.stillConnecting : STATUS.connecting;
  }
  if (reader) return STATUS.readOnly;
  if (facts.unsyncedChanges === 0) return STATUS.saved;
  if (!facts.overdue) return STATUS.saving;
  return facts.keptLocally ? STATUS.notSaved : STATUS.notSavedInTab;
}
