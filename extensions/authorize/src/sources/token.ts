import { type DocumentKey, matchesPattern, nameOf, type Principal } from '@weft/common';
import type { Role, RoleTable } from '../role.ts';
import type { GrantSource, Resolution, Visible } from '../source.ts';

/** The `grants` claim. It holds as long as the token, whose end the session enforces itself. */
export class TokenGrantSource implements GrantSource {
  private readonly roles: RoleTable;

  constructor({ roles }: { readonly roles: RoleTable }) {
    this.roles = roles;
  }

  async resolve(principal: Principal, key: DocumentKey): Promise<Resolution> {
    const name = nameOf(key);
    const roles: Role[] = [];
    for (const [pattern, roleName] of Object.entries(principal.grants)) {
      const role = matchesPattern(pattern, name) ? this.roles.get(roleName) : undefined;
      if (role) roles.push(role);
    }
    return { roles };
  }

  async visible(principal: Principal): Promise<readonly Visible[]> {
    return Object.entries(principal.grants).flatMap(([pattern, roleName]) => {
      const role = this.roles.get(roleName);
      return role ? [{ pattern, roles: [role] }] : [];
    });
  }
}
