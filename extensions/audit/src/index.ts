import { fileURLToPath } from 'node:url';

export * from './audit-log.ts';
export type { AuditEntry } from './entry.ts';
export * from './prune.ts';
export type { AuditPage, AuditQuery, AuditRow, Queryable } from './table.ts';

/** The SQL files of this package's tables. */
export const migrationsDirectory = fileURLToPath(new URL('../sql', import.meta.url));
