import { bumpPolicyRevision, type Grant, type NewGrant, type Role } from '@weft/authorize';
import { isPattern, nameOf, type DocumentKey, type Principal, WeftError } from '@weft/common';
import type { DocumentMode, DocumentRow } from '@weft/update-log';
import type { Services } from './services.ts';
import { inTransaction } from './transaction.ts';

type Stores = Pick<Services, 'pool' | 'documents' | 'grants' | 'tenantRoles' | 'bindings' | 'audit'>;

export interface DocumentSettings {
  readonly title?: string | undefined;
  readonly mode?: DocumentMode | undefined;
}

export interface GrantSettings {
  readonly subject: string;
  readonly role: string;
  /** Milliseconds since 1970. */
  readonly expiresAt?: number | undefined;
}

/**
 * What people do to documents, grants and roles rather than inside a document. Each act is one transaction with its
 * entry in the audit log: neither is ever there without the other. Whether somebody may is decided before.
 */
export class Administration {
  private readonly stores: Stores;

  constructor(stores: Stores) {
    this.stores = stores;
  }

  /** Makes a document and its maker the owner. @throws WeftError `document-exists` */
  createDocument(by: Principal, key: DocumentKey, settings: DocumentSettings = {}): Promise<DocumentRow> {
    const { pool, documents, grants, audit } = this.stores;
    return inTransaction(pool, async (tx) => {
      const document = await documents.create(tx, { key, createdBy: by.user, ...settings });
      await grants.put({ key, subject: `user:${by.user}`, role: 'owner', by: by.user }, tx);
      await audit.recordIn(tx, { ...act(by, 'document.create', key), detail: settings });
      return document;
    });
  }

  /** @throws WeftError `document-not-found` */
  changeDocument(by: Principal, key: DocumentKey, settings: DocumentSettings): Promise<DocumentRow> {
    const { pool, documents, audit } = this.stores;
    return inTransaction(pool, async (tx) => {
      const document = await documents.update(tx, key, settings);
      await audit.recordIn(tx, { ...act(by, 'document.change', key), detail: settings });
      return document;
    });
  }

  /** @throws WeftError `document-not-found` */
  deleteDocument(by: Principal, key: DocumentKey): Promise<void> {
    const { pool, documents, grants, bindings, audit } = this.stores;
    return inTransaction(pool, async (tx) => {
      await grants.removeAll(key, tx);
      await bindings.removeAll(key, tx);
      await documents.delete(tx, key);
      await audit.recordIn(tx, act(by, 'document.delete', key));
    });
  }

  /** @throws WeftError `subject-invalid`, `role-unknown`, `bad-request`, `last-owner` */
  putGrant(by: Principal, key: DocumentKey, settings: GrantSettings): Promise<Grant> {
    const { pool, grants, audit } = this.stores;
    return inTransaction(pool, async (tx) => {
      const grant = await grants.put({ key, by: by.user, ...settings } satisfies NewGrant, tx);
      await audit.recordIn(tx, { ...act(by, 'grant.put', key), detail: settings });
      return grant;
    });
  }

  /** @throws WeftError `last-owner` */
  removeGrant(by: Principal, key: DocumentKey, subject: string): Promise<boolean> {
    const { pool, grants, audit } = this.stores;
    return inTransaction(pool, async (tx) => {
      const removed = await grants.remove({ key, subject }, tx);
      if (removed) await audit.recordIn(tx, { ...act(by, 'grant.remove', key), detail: { subject } });
      return removed;
    });
  }

  /**
   * What another source of rights says of these documents has changed. Once this is done, no update is saved
   * whose author was not asked about after it.
   *
   * @throws WeftError `name-invalid`
   */
  async announceChange(by: Principal, pattern: string): Promise<void> {
    const { pool, audit } = this.stores;
    if (!isPattern(pattern)) throw new WeftError('name-invalid');
    return inTransaction(pool, async (tx) => {
      await bumpPolicyRevision(tx, by.tenant, pattern);
      await audit.recordIn(tx, { ...act(by, 'permissions.changed'), detail: { pattern } });
    });
  }

  /** @throws WeftError `bad-request` */
  putRole(by: Principal, role: Role): Promise<void> {
    const { pool, tenantRoles, audit } = this.stores;
    return inTransaction(pool, async (tx) => {
      await tenantRoles.put(by.tenant, role, by.user, tx);
      await audit.recordIn(tx, { ...act(by, 'role.put'), detail: role });
    });
  }

  removeRole(by: Principal, name: string): Promise<boolean> {
    const { pool, tenantRoles, audit } = this.stores;
    return inTransaction(pool, async (tx) => {
      const removed = await tenantRoles.remove(by.tenant, name, tx);
      if (removed) await audit.recordIn(tx, { ...act(by, 'role.remove'), detail: { name } });
      return removed;
    });
  }
}

function act({ tenant, user }: Principal, action: string, key?: DocumentKey) {
  return { tenant, actor: user, action, document: key === undefined ? undefined : nameOf(key) };
}
