import type { Connection, Hocuspocus } from '@hocuspocus/server';
import { WeftError, type DocumentKey, type Principal } from '@weft/common';
import type { LiveDocument } from '../document/live-document.ts';
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

  /** Has the document made, where it is not yet, and makes the connection that hooks are given. */
  async connect(live: LiveDocument): Promise<HocuspocusConnection> {
    const { connectionConfig, context } = this;
    const { hocuspocus, callbacks, client, key, providerVersion } = this.options;
    const { readOnly } = connectionConfig;
    const { request, id } = client.socket;
    const document = await hocuspocus.createDocument(key, request, id, connectionConfig, context);
    // Given up while it was being opened, it is nobody's: the client comes back to the one that is loaded anew.
    if (live.discarded || live.document !== document) throw new WeftError('document-reload');
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
