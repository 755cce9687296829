import type { Role } from '@weft/authorize';
import { documentKey, isDocumentName, WeftError, type DocumentKey, type Principal } from '@weft/common';
import { PermissionsChanged } from '../administration.ts';
import { hasScope } from '../scopes.ts';
import type { Services } from '../services.ts';

/** What whoever asks may do with a document, at this moment. */
export interface DocumentAccess {
  readonly key: DocumentKey;
  readonly role: Role | undefined;
  /** Of the permissions that say so. */
  readonly policyRev: number;
  /** `scope: admin` manages every document of its tenant. It does not read them: that takes a grant, which is audited. */
  readonly admin: boolean;
}

export function isAdmin(principal: Principal): boolean {
  return hasScope(principal, 'admin');
}

/** @throws WeftError `forbidden` */
export function requireAdmin(principal: Principal): void {
  if (!isAdmin(principal)) throw new WeftError('forbidden');
}

/** @throws WeftError `name-invalid`, `permissions-unavailable` */
export async function accessTo(
  { gate }: Pick<Services, 'gate'>,
  principal: Principal,
  name: string,
): Promise<DocumentAccess> {
  if (!isDocumentName(name)) throw new WeftError('name-invalid');
  const key = documentKey(principal.tenant, name);
  const { role, policyRev } = await gate.resolve(principal, key);
  return { key, role, policyRev, admin: isAdmin(principal) };
}

/** Changes of permissions that somebody who acts under them may meet with. */
const ATTEMPTS = 5;

/** Decides and acts, again where the permissions have changed before the act was done. */
export async function decideAndAct<T>(
  decide: () => Promise<DocumentAccess>,
  act: (access: DocumentAccess) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const access = await decide();
    try {
      return await act(access);
    } catch (error) {
      if (!(error instanceof PermissionsChanged) || attempt === ATTEMPTS) throw error;
    }
  }
}

/** A document that may not be seen answers like one that is not there. */
export function requireSeen({ role, admin }: DocumentAccess): void {
  if (!role?.read && !admin) throw new WeftError('document-not-found');
}

export function requireRead({ role, admin }: DocumentAccess): void {
  if (role?.read) return;
  throw new WeftError(admin ? 'forbidden' : 'document-not-found');
}

export function requireManage(access: DocumentAccess): void {
  requireSeen(access);
  if (!access.role?.manage && !access.admin) throw new WeftError('forbidden');
}

/** To give it another title: whoever may write everything in it, or manages it. */
export function requireRename(access: DocumentAccess): void {
  requireSeen(access);
  if (access.role?.write !== '*' && !access.role?.manage && !access.admin) throw new WeftError('forbidden');
}

/** Rights on a pattern of names do not make a document exist. */
export async function requireDocument({ documents, pool }: Services, { key }: DocumentAccess) {
  const document = await documents.get(pool, key);
  if (!document) throw new WeftError('document-not-found');
  return document;
}
