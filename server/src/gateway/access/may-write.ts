import { decideUpdate, type Access } from '@weft/authorize';
import type { UpdateAnalysis } from '@weft/common';

/** Whether somebody with this role may write all of an update. */
export function mayWrite(role: Access['role'], analysis: UpdateAnalysis): boolean {
  return role !== undefined && decideUpdate(role, analysis).allow;
}
