import { isIdentifier } from '@weft/common';

/** What somebody may do with a document. Roles are data: the code never asks for a role by its name. */
export interface Role {
  readonly name: string;
  /** Open the document and see its content. */
  readonly read: boolean;
  /** Show a cursor and a name to the others. */
  readonly presence: boolean;
  /** The root types that may be written; `*` is all of them, an empty list none. */
  readonly write: '*' | readonly string[];
  /** Change grants, restore, delete. */
  readonly manage: boolean;
}

export const MAX_ROLE_NAME = 64;
const MAX_WRITABLE_ROOTS = 64;

export const VIEWER: Role = { name: 'viewer', read: true, presence: true, write: [], manage: false };
export const COMMENTER: Role = { ...VIEWER, name: 'commenter', write: ['comments'] };
export const EDITOR: Role = { ...VIEWER, name: 'editor', write: '*' };
export const OWNER: Role = { ...EDITOR, name: 'owner', manage: true };

const BUILT_IN: readonly Role[] = [VIEWER, COMMENTER, EDITOR, OWNER];

/** The built-in roles and those an integrator adds; a built-in name keeps its meaning. */
export class RoleTable {
  private readonly roles = new Map<string, Role>(BUILT_IN.map((role) => [role.name, role]));

  /** @throws TypeError for an invalid role, a built-in name, or a name given twice */
  constructor(custom: readonly Role[] = []) {
    for (const role of custom) {
      const problem = roleProblem(role);
      if (problem) throw new TypeError(`role ${JSON.stringify(role.name)}: ${problem}`);
      if (this.roles.has(role.name))
        throw new TypeError(`role ${JSON.stringify(role.name)} is defined already`);
      this.roles.set(role.name, role);
    }
  }

  get(name: string): Role | undefined {
    return this.roles.get(name);
  }

  names(): readonly string[] {
    return [...this.roles.keys()];
  }
}

export function isRoleName(value: unknown): value is string {
  return typeof value === 'string' && isIdentifier(value) && value.length <= MAX_ROLE_NAME;
}

/** What is wrong with a role that comes from outside; `undefined` when nothing is. */
export function roleProblem({ name, write }: Role): string | undefined {
  if (!isRoleName(name)) return 'the name is not 1 to 64 characters';
  if (write === '*') return undefined;
  if (write.length > MAX_WRITABLE_ROOTS) return 'write lists more than 64 root types';
  return write.every(isIdentifier) ? undefined : 'write lists an invalid name';
}

export function writes(role: Role, root: string): boolean {
  return role.write === '*' || role.write.includes(root);
}

/**
 * The union of rights, for somebody whom several grants reach. When one role has all rights of the other it
 * is the result itself, so that people are shown a name they know.
 */
export function mergeRoles(a: Role, b: Role): Role {
  if (covers(a, b)) return a;
  if (covers(b, a)) return b;
  return {
    name: `${a.name}+${b.name}`,
    read: a.read || b.read,
    presence: a.presence || b.presence,
    write: a.write === '*' || b.write === '*' ? '*' : [...new Set([...a.write, ...b.write])],
    manage: a.manage || b.manage,
  };
}

function covers(a: Role, b: Role): boolean {
  return (
    (a.read || !b.read) &&
    (a.presence || !b.presence) &&
    (a.manage || !b.manage) &&
    (a.write === '*' || (b.write !== '*' && b.write.every((root) => writes(a, root))))
  );
}

/** `undefined` when there is none: no access. */
export function strongestOf(roles: Iterable<Role>): Role | undefined {
  let merged: Role | undefined;
  for (const role of roles) merged = merged ? mergeRoles(merged, role) : role;
  return merged;
}
