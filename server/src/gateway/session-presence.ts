import type { GatewayCore } from './core.ts';
import type { Session } from './session.ts';

/** Tells the presence registry who is here. */
export class SessionPresence {
  private readonly core: GatewayCore;

  constructor(core: GatewayCore) {
    this.core = core;
  }

  announced(_session: Session, _present: readonly number[], _left: readonly number[]): void {}
  left(_session: Session): void {}
}
