import type { UpdateAnalysis } from '@weft/common';
import { type Role, writes } from './role.ts';

export type Decision =
  | { readonly allow: true }
  | { readonly allow: false; readonly code: 'write-forbidden' }
  /** `root`: the first root type that the role may not write. */
  | { readonly allow: false; readonly code: 'root-forbidden'; readonly root: string };

const ALLOW: Decision = { allow: true };
const WRITE_FORBIDDEN: Decision = { allow: false, code: 'write-forbidden' };

/**
 * May somebody of this role make this change? Pure, and without allocation where the answer is yes: it runs
 * for every keystroke.
 */
export function decideUpdate(role: Role, analysis: UpdateAnalysis): Decision {
  if (analysis.noop || role.write === '*') return ALLOW;
  if (role.write.length === 0) return WRITE_FORBIDDEN;
  let deletes = false;
  for (const [root, access] of analysis.roots) {
    if (!writes(role, root)) return { allow: false, code: 'root-forbidden', root };
    deletes ||= access.deletes;
  }
  // Something would be removed and no root is named for it: only who may write everything may do that.
  return analysis.deletes && !deletes ? WRITE_FORBIDDEN : ALLOW;
}
