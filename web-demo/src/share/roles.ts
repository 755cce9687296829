/** The built-in roles, least first. A server may define others; they are shown by their name. */
export const ROLES = [
  { value: 'viewer', label: 'Viewer', hint: 'reads' },
  { value: 'commenter', label: 'Commenter', hint: 'reads and comments' },
  { value: 'editor', label: 'Editor', hint: 'writes' },
  { value: 'owner', label: 'Owner', hint: 'writes, shares and deletes' },
] as const;

export function roleLabel(role: string | null): string {
  return ROLES.find(({ value }) => value === role)?.label ?? role ?? 'No access';
}

export const roleManages = (role: string | null): boolean => role === 'owner';
export const roleWrites = (role: string | null): boolean => role === 'owner' || role === 'editor';
