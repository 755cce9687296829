import type {
  beforeHandleAwarenessPayload,
  beforeSyncPayload,
  Connection,
  connectedPayload,
  Document,
  Extension,
  onAuthenticatePayload,
  onTokenSyncPayload,
} from '@hocuspocus/server';
import {
  type Clock,
  type DocumentKey,
  documentKey,
  HookRefusal,
  isDocumentName,
  nameOf,
  type Principal,
  SyncType,
  systemClock,
  type Unsubscribe,
  type UpdateAnalysis,
  WeftError,
} from '@weft/common';
import { decideUpdate } from './decide.ts';
import { ExtensionSession } from './extension-session.ts';
import type { Access, Gate } from './gate.ts';
import { affects, type PolicyChange } from './pattern.ts';

/** What the extension adds to a connection's context, beside the principal that authentication put there. */
export interface AuthorizeContext {
  principal: Principal;
  weftAuthorize: ExtensionSession;
}

export interface AuthorizeExtensionOptions {
  readonly gate: Gate;
  /** What an update would do, found without applying it; `@weft/guard` has one. Throws when it is malformed. */
  readonly analyze: (document: Document, update: Uint8Array) => UpdateAnalysis;
  /** Whose Yjs client id it is: nobody writes or shows up under another person's. */
  readonly bindings: {
    bind(key: DocumentKey, clientId: number, person: string): Promise<'own' | 'taken'>;
  };
  /**
   * The tenant that all documents of this server belong to. Without it, documents are called `tenant/name` on
   * the wire.
   */
  readonly tenant?: string;
  readonly clock?: Clock;
  /** Milliseconds between two looks at the policy revisions, which find changes that no notification told. */
  readonly pollInterval?: number;
}

/** Grants and roles for a stock Hocuspocus. Whoever breaks a rule loses the document session, with a code. */
export class AuthorizeExtension implements Extension<AuthorizeContext> {
  readonly extensionName = 'weft-authorize';
  /** After authentication, before whatever stores. */
  readonly priority = 900;
  private readonly options: AuthorizeExtensionOptions;
  private readonly clock: Clock;
  private readonly sessions = new Map<Connection, ExtensionSession>();
  private unwatch: Unsubscribe | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(options: AuthorizeExtensionOptions) {
    this.options = options;
    this.clock = options.clock ?? systemClock;
  }

  async onConfigure(): Promise<void> {
    this.unwatch = this.options.gate.watch((change) => this.changed(change));
    this.schedulePoll();
  }

  async onAuthenticate(payload: onAuthenticatePayload): Promise<Pick<AuthorizeContext, 'weftAuthorize'>> {
    const { principal } = payload.context as Partial<AuthorizeContext>;
    return refusing(async () => {
      if (!principal) throw new WeftError('token-missing');
      const session = new ExtensionSession({
        gate: this.options.gate,
        clock: this.clock,
        principal,
        key: this.keyOf(payload.documentName),
      });
      const { role } = await session.access();
      if (!role?.read) throw new WeftError('document-not-found');
      payload.connectionConfig.readOnly = role.write.length === 0;
      return { weftAuthorize: session };
    });
  }

  async connected({ connection, context }: connectedPayload<AuthorizeContext>): Promise<void> {
    this.sessions.set(connection, context.weftAuthorize);
    connection.onClose(() => this.sessions.delete(connection));
    // Rights may have changed since they were asked for, before this connection could be told.
    context.weftAuthorize.invalidate();
    await this.recheck(connection, context.weftAuthorize);
  }

  /** The new token may carry other grants and groups. */
  async onTokenSync({ context, connection }: onTokenSyncPayload<AuthorizeContext>): Promise<void> {
    const session = context.weftAuthorize;
    session.principal = context.principal;
    session.invalidate();
    await this.recheck(connection, session);
  }

  async beforeSync(payload: beforeSyncPayload<AuthorizeContext>): Promise<void> {
    const { connection, context, document, type, payload: body } = payload;
    return refusing(async () => {
      const session = context.weftAuthorize;
      const { role } = await session.access();
      if (!role?.read) throw new WeftError('access-removed');
      // Hocuspocus itself answers the updates of read-only connections, with a negative SyncStatus.
      connection.readOnly = role.write.length === 0;
      if (type === SyncType.Step1 || connection.readOnly) return;
      const analysis = this.options.analyze(document, body);
      if (analysis.missing.length > 0) throw new WeftError('update-missing-dependencies');
      const decision = decideUpdate(role, analysis);
      if (!decision.allow) throw new WeftError(decision.code);
      await this.requireOwn(session, analysis);
    });
  }

  async beforeHandleAwareness(payload: beforeHandleAwarenessPayload<AuthorizeContext>): Promise<void> {
    const { states, context } = payload;
    // What another instance relays was checked there.
    if (!context) return;
    return refusing(async () => {
      const session = context.weftAuthorize;
      const { role } = await session.access();
      if (!role?.presence) states.clear();
      for (const [clientId, state] of states) {
        // Hocuspocus decodes into an Awareness of its own, whose random client id shows up with an empty state.
        const phantom = Object.keys(state).length === 0;
        if (phantom || !(await this.isOwn(session, clientId))) states.delete(clientId);
        else state['user'] = identityOf(session.principal);
      }
    });
  }

  async onDestroy(): Promise<void> {
    this.unwatch?.();
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  /** Documents of another tenant are not reachable: the gate gives nothing outside the principal's own. */
  private keyOf(documentName: string): DocumentKey {
    const { tenant } = this.options;
    const key = tenant === undefined ? parseKey(documentName) : documentKey(tenant, documentName);
    if (!key || !isDocumentName(nameOf(key))) throw new WeftError('name-invalid');
    return key;
  }

  private async requireOwn(session: ExtensionSession, { authors }: UpdateAnalysis): Promise<void> {
    for (const { client } of authors) {
      if (!(await this.isOwn(session, client))) throw new WeftError('client-id-taken');
    }
  }

  private async isOwn({ key, principal }: ExtensionSession, clientId: number): Promise<boolean> {
    return (await this.options.bindings.bind(key, clientId, principal.user)) === 'own';
  }

  private changed(change: PolicyChange): void {
    for (const [connection, session] of this.sessions) {
      if (!affects(change, session.key)) continue;
      session.invalidate();
      void this.recheck(connection, session);
    }
  }

  private schedulePoll(): void {
    this.timer = setTimeout(() => {
      void this.poll().finally(() => {
        if (this.timer) this.schedulePoll();
      });
    }, this.options.pollInterval ?? 2_000);
    this.timer.unref();
  }

  /** Also finds rights that have ended by themselves. */
  private async poll(): Promise<void> {
    const sessions = [...this.sessions];
    const keys = [...new Set(sessions.map(([, { key }]) => key))];
    let revisions: ReadonlyMap<DocumentKey, number> = new Map();
    try {
      revisions = await this.options.gate.revisions(keys);
    } catch {
      // Each session finds that out for itself when its rights have to be asked for again.
    }
    for (const [connection, session] of sessions) {
      const revision = revisions.get(session.key);
      if (revision !== undefined && revision !== session.policyRev) session.invalidate();
      await this.recheck(connection, session);
    }
  }

  private async recheck(connection: Connection, session: ExtensionSession): Promise<void> {
    try {
      const { role }: Access = await session.access();
      if (!role?.read) throw new WeftError('access-removed');
      connection.readOnly = role.write.length === 0;
    } catch (error) {
      const { code, reason } = new HookRefusal(error);
      connection.close({ code, reason });
    }
  }
}

function parseKey(documentName: string): DocumentKey | undefined {
  return documentName.indexOf('/') > 0 ? (documentName as DocumentKey) : undefined;
}

function identityOf({ user, name, color }: Principal): object {
  return { id: user, name: name ?? user, ...(color !== undefined && { color }) };
}

async function refusing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof HookRefusal ? error : new HookRefusal(error);
  }
}
