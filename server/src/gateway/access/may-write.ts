import { decideUpdate, type Access } from '@weft/authorize';
import type { ErrorCode, UpdateAnalysis } from '@weft/common';

/** Whether somebody with this role may write all of an update. */
export function mayWrite(role: Access['role'], analysis: UpdateAnalysis): boolean {
  return refusalOf(role, analysis) === undefined;
}

/** Why somebody with this role may not write an update; nothing if they may. */
export function refusalOf(role: Access['role'], analysis: UpdateAnalysis): ErrorCode | undefined {
  if (!role) return 'access-removed';
  const decision = decideUpdate(role, analysis);
  return decision.allow ? undefined : decision.code;
}
