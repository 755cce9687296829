import type { ErrorCode, Principal, UpdateAnalysis } from '@weft/common';
import type { Participant } from './participant.ts';

/** What is known of an update between its decision and its commit. */
export interface Written {
  readonly principal: Principal;
  /** None: it came over HTTP. */
  readonly session: Participant | undefined;
  /** Of the permissions that allowed it. */
  readonly policyRev: number;
  readonly analysis: UpdateAnalysis;
  readonly kind: 'edit' | 'carried';
  ticket: number;
  /** The permissions changed before its commit, and it is not in the log: what its author may no longer do. */
  refused: ErrorCode | undefined;
}
