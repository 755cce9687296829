import type { AuditLog } from '@weft/audit';
import {
  bumpPolicyRevision,
  type ClientBindings,
  type Grant,
  type GrantStore,
  type NewGrant,
  type Role,
  type TenantRoles,
} from '@weft/authorize';
import { inTransaction, isPattern, nameOf, type DocumentKey, type Principal, WeftError } from '@weft/common';
import type { DocumentMode, DocumentRow, DocumentStore } from '@weft/update-log';
import type { Pool, PoolClient } from 'pg';

export interface AdministrationStores {
  readonly pool: Pool;
  readonly documents: DocumentStore;
  readonly grants: GrantStore;
  readonly tenantRoles: TenantRoles;
  readonly bindings: Pick<ClientBindings, 'removeAll'>;
  readonly audit: Pick<AuditLog, 'recordIn'>;
}

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

/** A document, and the revision of its permissions under which somebody was allowed to act on it. */
export interface DecidedFor {
  readonly key: DocumentKey;
  readonly policyRev: number;
}

/** The permissions changed between the decision and the act, which has to be decided again. */
export class PermissionsChanged extends WeftError {
  constructor() {
    super('permissions-unavailable', { detail: 'they changed meanwhile' });
  }
}

/**
 * What people do to documents, grants and roles rather than inside a document. Each act is one transaction with its
 * entry in the audit log: neither is ever there without the other. Whether somebody may is decided before, and the act
 * comes to nothing when that no longer holds.
 */
export class Administration {
  private readonly stores: AdministrationStores;

  constructor(stores: AdministrationStores) {
    this.stores = stores;
  }

  /** Makes a document and its maker the owner. @throws WeftError `document-exists`, `name-invalid` */
  createDocument(by: Principal, key: DocumentKey, settings: DocumentSettings = {}): Promise<DocumentRow> {
    const { documents, grants, audit } = this.stores;
    return this.transaction(async (tx) => {
      const document = await documents.create(tx, { key, createdBy: by.user, ...settings });
      // Not before: of one that is there already, however it is written, that is what is to be said.
      requireNormalForm(nameOf(key));
      await grants.put({ key, subject: `user:${by.user}`, role: 'owner', by: by.user }, tx);
      await audit.recordIn(tx, { ...act(by, 'document.create', key), detail: settings });
      return document;
    });
  }

  /** @throws PermissionsChanged; WeftError `document-not-found` */
  changeDocument(
    by: Principal,
    { key, policyRev }: DecidedFor,
    settings: DocumentSettings,
  ): Promise<DocumentRow> {
    const { documents, audit } = this.stores;
    return this.transaction(async (tx) => {
      const document = await documents.update(tx, key, settings);
      if (document.policyRev !== policyRev) throw new PermissionsChanged();
      await audit.recordIn(tx, { ...act(by, 'document.change', key), detail: settings });
      return document;
    });
  }

  /** @throws PermissionsChanged; WeftError `document-not-found` */
  deleteDocument(by: Principal, decided: DecidedFor): Promise<void> {
    const { documents, grants, bindings, audit } = this.stores;
    const { key } = decided;
    return this.transaction(async (tx) => {
      await grants.removeAll(key, tx);
      await this.requireRaisedOnce(tx, decided);
      await bindings.removeAll(key, tx);
      await documents.delete(tx, key);
      await audit.recordIn(tx, act(by, 'document.delete', key));
    });
  }

  /** @throws PermissionsChanged; WeftError `subject-invalid`, `role-unknown`, `bad-request`, `last-owner` */
  putGrant(by: Principal, decided: DecidedFor, settings: GrantSettings): Promise<Grant> {
    const { grants, audit } = this.stores;
    const { key } = decided;
    return this.transaction(async (tx) => {
      const grant = await grants.put({ key, by: by.user, ...settings } satisfies NewGrant, tx);
      await this.requireRaisedOnce(tx, decided);
      await audit.recordIn(tx, { ...act(by, 'grant.put', key), detail: settings });
      return grant;
    });
  }

  /** @throws PermissionsChanged; WeftError `last-owner` */
  removeGrant(by: Principal, decided: DecidedFor, subject: string): Promise<boolean> {
    const { grants, audit } = this.stores;
    const { key } = decided;
    return this.transaction(async (tx) => {
      const removed = await grants.remove({ key, subject }, tx);
      await this.requireRaisedOnce(tx, decided);
      if (removed) await audit.recordIn(tx, { ...act(by, 'grant.remove', key), detail: { subject } });
      return removed;
    });
  }

  /** The document's row is locked by now: since the decision nobody but this act has raised its revision. */
  private async requireRaisedOnce(tx: PoolClient, { key, policyRev }: DecidedFor): Promise<void> {
    const document = await this.stores.documents.get(tx, key);
    if (document && document.policyRev !== policyRev + 1) throw new PermissionsChanged();
  }

  /**
   * What another source of rights says of these documents has changed. Once this is done, no update is saved
   * whose author was not asked about after it.
   *
   * @throws WeftError `name-invalid`
   */
  async announceChange(by: Principal, pattern: string): Promise<void> {
    const { audit } = this.stores;
    if (!isPattern(pattern)) throw new WeftError('name-invalid');
    return this.transaction(async (tx) => {
      await bumpPolicyRevision(tx, by.tenant, pattern);
      await audit.recordIn(tx, { ...act(by, 'permissions.changed'), detail: { pattern } });
    });
  }

  /** @throws WeftError `bad-request` */
  putRole(by: Principal, role: Role): Promise<void> {
    const { tenantRoles, audit } = this.stores;
    return this.transaction(async (tx) => {
      await tenantRoles.put(by.tenant, role, by.user, tx);
      await audit.recordIn(tx, { ...act(by, 'role.put'), detail: role });
    });
  }

  removeRole(by: Principal, name: string): Promise<boolean> {
    const { tenantRoles, audit } = this.stores;
    return this.transaction(async (tx) => {
      const removed = await tenantRoles.remove(by.tenant, name, tx);
      if (removed) await audit.recordIn(tx, { ...act(by, 'role.remove'), detail: { name } });
      return removed;
    });
  }

  private transaction<T>(work: (tx: PoolClient) => Promise<T>): Promise<T> {
    return inTransaction(() => this.stores.pool.connect(), work);
  }
}

function act({ tenant, user }: Principal, action: string, key?: DocumentKey) {
  return { tenant, actor: user, action, document: key === undefined ? undefined : nameOf(key) };
}

/** Names that look the same would be two documents, and which of them somebody means would depend on their keyboard. */
function requireNormalForm(name: string): void {
  if (name.normalize('NFC') !== name) throw new WeftError('name-invalid');
}
