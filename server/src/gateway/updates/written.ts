import type { Principal, UpdateAnalysis } from '@weft/common';
import type { Session } from '../session/session.ts';

/** What is known of an update between its decision and its commit. */
export interface Written {
  readonly principal: Principal;
  /** None: it came over HTTP. */
  readonly session: Session | undefined;
  /** Of the permissions that allowed it. */
  readonly policyRev: number;
  readonly analysis: UpdateAnalysis;
  readonly kind: 'edit' | 'carried';
  ticket: number;
  /** The permissions changed before its commit, and it is not in the log. */
  refused: boolean;
}
