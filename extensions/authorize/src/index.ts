import { fileURLToPath } from 'node:url';

export * from './client-bindings.ts';
export * from './decide.ts';
export * from './extension.ts';
export * from './gate.ts';
export * from './grants.ts';
export { affects, parseChange, type PolicyChange } from './pattern.ts';
export { bumpPolicyRevision, type Queryable } from './postgres.ts';
export * from './remembered-claims.ts';
export * from './role.ts';
export * from './source.ts';
export * from './sources/http.ts';
export * from './sources/postgres.ts';
export * from './sources/token.ts';
export * from './subject.ts';
export * from './tenant-roles.ts';

/** The SQL files of this package's tables. */
export const migrationsDirectory = fileURLToPath(new URL('../sql', import.meta.url));
