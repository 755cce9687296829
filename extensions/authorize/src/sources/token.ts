import {
  type DocumentKey,
  type Logger,
  matchesPattern,
  nameOf,
  type Principal,
  silentLogger,
} from '@weft/common';
import { isRoleName, type Role, type RoleTable } from '../role.ts';
import type { Given, GrantSource, OwnRoles, Resolution, RoleDefinitions, Visible } from '../source.ts';

/** Names of unknown roles that are kept, so that each is logged once. Further ones are not logged. */
const MAX_LOGGED = 1_000;

export interface TokenGrantSourceOptions {
  readonly roles: RoleTable;
  /** For the list of documents. Decisions take the tenant's own roles from the gate, with the revision. */
  readonly definitions?: RoleDefinitions;
  readonly logger?: Logger;
}

/** The `grants` claim. It holds as long as the token, whose end the session enforces itself. */
export class TokenGrantSource implements GrantSource {
  private readonly roles: RoleTable;
  private readonly definitions: RoleDefinitions | undefined;
  private readonly logger: Logger;
  private readonly logged = new Set<string>();

  constructor({ roles, definitions, logger = silentLogger }: TokenGrantSourceOptions) {
    this.roles = roles;
    this.definitions = definitions;
    this.logger = logger;
  }

  names({ grants }: Principal, key: DocumentKey): readonly string[] {
    return this.notBuiltIn(namesFor(grants, nameOf(key)));
  }

  /** Asked alone, without a gate that gives the tenant's own roles, it knows those of its table only. */
  async resolve({ tenant, grants }: Principal, key: DocumentKey, { own }: Given = {}): Promise<Resolution> {
    const roles = namesFor(grants, nameOf(key)).flatMap((name) => this.roleOf(tenant, name, own) ?? []);
    return { roles };
  }

  async visible({ tenant, grants }: Principal): Promise<readonly Visible[]> {
    const names = this.notBuiltIn(Object.values(grants));
    const own = names.length > 0 ? await this.definitions?.find(tenant, names) : undefined;
    return Object.entries(grants).flatMap(([pattern, name]) => {
      const role = this.roleOf(tenant, name, own);
      return role ? [{ pattern, roles: [role] }] : [];
    });
  }

  /** What can be no role's name is not asked for: the database does not take it for text. */
  private notBuiltIn(names: readonly string[]): string[] {
    return [...new Set(names)].filter((name) => isRoleName(name) && !this.roles.get(name));
  }

  /** A role that nobody defines gives nothing. */
  private roleOf(tenant: string, name: string, own: OwnRoles | undefined): Role | undefined {
    const role = this.roles.get(name) ?? own?.get(name);
    if (!role && own) this.logUnknown(tenant, name);
    return role;
  }

  private logUnknown(tenant: string, role: string): void {
    const entry = `${tenant}/${role}`;
    if (this.logged.has(entry) || this.logged.size >= MAX_LOGGED) return;
    this.logged.add(entry);
    this.logger.warn({ tenant, role }, 'a token names a role that there is not');
  }
}

function namesFor(grants: Principal['grants'], document: string): string[] {
  return Object.entries(grants).flatMap(([pattern, role]) =>
    matchesPattern(pattern, document) ? [role] : [],
  );
}
