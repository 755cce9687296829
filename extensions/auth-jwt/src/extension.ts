import type {
  Connection,
  connectedPayload,
  Extension,
  onAuthenticatePayload,
  onTokenSyncPayload,
} from '@hocuspocus/server';
import { type Clock, HookRefusal, type Principal, systemClock, WeftError } from '@weft/common';
import { watchExpiry } from './expiry.ts';
import type { TokenVerifier } from './verifier.ts';

/** What the extension adds to a connection's context. */
export interface JwtContext {
  principal: Principal;
}

export interface JwtExtensionOptions {
  readonly verifier: TokenVerifier;
  readonly clock?: Clock;
  /** Milliseconds before a token's end at which the client is asked for the next one. */
  readonly refreshLead?: number;
}

/** Authentication for a stock Hocuspocus: the principal in the context, and sessions that end with their token. */
export class JwtExtension implements Extension<JwtContext> {
  readonly extensionName = 'weft-auth-jwt';
  /** Before whatever decides by the principal. */
  readonly priority = 1_000;
  private readonly verifier: TokenVerifier;
  private readonly clock: Clock;
  private readonly refreshLead: number;
  private readonly cancels = new Map<Connection, () => void>();

  constructor({ verifier, clock = systemClock, refreshLead = 30_000 }: JwtExtensionOptions) {
    this.verifier = verifier;
    this.clock = clock;
    this.refreshLead = refreshLead;
  }

  async onAuthenticate({ token, context }: onAuthenticatePayload): Promise<JwtContext> {
    return addTo(context, { principal: await this.principal(token) });
  }

  async connected({ connection, context }: connectedPayload<JwtContext>): Promise<void> {
    this.watch(connection, context.principal);
    connection.onClose(() => this.unwatch(connection));
  }

  async onTokenSync({ token, context, connection }: onTokenSyncPayload<JwtContext>): Promise<JwtContext> {
    const principal = await this.principal(token);
    const { tenant, user } = context.principal;
    if (principal.tenant !== tenant || principal.user !== user) {
      // What the session has written and bound is the old person's; another one opens their own.
      throw new HookRefusal(new WeftError('token-invalid', { detail: 'the new token is of another person' }));
    }
    this.watch(connection, principal);
    // Hocuspocus hands the new context to hooks only; whoever reads it off the connection would see the old.
    addTo(connection.context, { principal });
    return addTo(context, { principal });
  }

  async onDestroy(): Promise<void> {
    for (const connection of [...this.cancels.keys()]) this.unwatch(connection);
  }

  private async principal(token: string): Promise<Principal> {
    try {
      return await this.verifier.verify(token);
    } catch (error) {
      throw new HookRefusal(error);
    }
  }

  private watch(connection: Connection, { expiresAt }: Principal): void {
    this.unwatch(connection);
    const cancel = watchExpiry({
      clock: this.clock,
      expiresAt,
      lead: this.refreshLead,
      onSoon: () => connection.requestToken(),
      onExpired: () => {
        const { code, reason } = new HookRefusal(new WeftError('token-expired'));
        connection.close({ code, reason });
      },
    });
    this.cancels.set(connection, cancel);
  }

  private unwatch(connection: Connection): void {
    this.cancels.get(connection)?.();
    this.cancels.delete(connection);
  }
}

/**
 * Hocuspocus merges what a hook returns into the next hook's context; the other extensions in the chain of the
 * same hook still get the object that was there before.
 */
function addTo(context: unknown, addition: JwtContext): JwtContext {
  if (typeof context === 'object' && context !== null) Object.assign(context, addition);
  return addition;
}
