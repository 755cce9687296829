import type { Connection, Document, Hocuspocus } from '@hocuspocus/server';
import type { DocumentKey, Principal } from '@weft/common';
import { aboutRequest, HocuspocusConnection, type HookedClient } from './hocuspocus-connection.ts';
import type { UserHooks } from './user-hooks.ts';

export interface Entrant {
  readonly client: HookedClient;
  readonly principal: Principal;
  readonly key: DocumentKey;
  readonly readOnly: boolean;
  readonly providerVersion: string | null;
}

export interface HookedAdmissionOptions extends Entrant {
  readonly hocuspocus: Hocuspocus;
  readonly userHooks: UserHooks;
  /** Of all connections. */
  readonly callbacks: Connection['callbacks'];
}

/**
 * A client on its way in, as Hocuspocus and users' hooks see it: they may refuse it, make it read-only, and add to its
 * context.
 */
export class HookedAdmission {
  private readonly options: HookedAdmissionOptions;
  private readonly connectionConfig: { readOnly: boolean; isAuthenticated: boolean };
  private context: object;

  constructor(options: HookedAdmissionOptions) {
    this.options = options;
    this.connectionConfig = { readOnly: options.readOnly, isAuthenticated: false };
    this.context = { principal: options.principal };
  }

  get readOnly(): boolean {
    return this.connectionConfig.readOnly;
  }

  /** @throws what a hook rejects with. */
  async ask(token: string): Promise<void> {
    const { hocuspocus, userHooks } = this.options;
    const extend = (additions?: object) => (this.context = { ...this.context, ...additions });
    if (userHooks.has('onConnect')) await hocuspocus.hooks('onConnect', this.payload(), extend);
    if (userHooks.has('onAuthenticate'))
      await hocuspocus.hooks('onAuthenticate', { ...this.payload(), token }, extend);
    this.connectionConfig.isAuthenticated = true;
  }

  /** Has the document made, where it is not yet. */
  async open(): Promise<Document> {
    const { hocuspocus, client, key } = this.options;
    const { request, id } = client.socket;
    return hocuspocus.createDocument(key, request, id, this.connectionConfig, this.context);
  }

  /** The connection that hooks are given. */
  connect(document: Document): HocuspocusConnection {
    const { readOnly, context } = this;
    const { callbacks, client, providerVersion } = this.options;
    return new HocuspocusConnection({ client, document, readOnly, context, providerVersion, callbacks });
  }

  /** @throws what a hook rejects with. */
  async connected(connection: HocuspocusConnection): Promise<void> {
    const { hocuspocus, userHooks } = this.options;
    if (userHooks.has('connected')) await hocuspocus.hooks('connected', { ...this.payload(), connection });
  }

  private payload() {
    const { connectionConfig, context } = this;
    const { hocuspocus: instance, client, key: documentName, providerVersion } = this.options;
    const { request, id: socketId } = client.socket;
    return {
      ...aboutRequest(request),
      ...{ instance, request, socketId, documentName, connectionConfig, providerVersion, context },
    };
  }
}
