export * from './audit-log.ts';
export type { AuditEntry } from './entry.ts';
export type { AuditPage, AuditQuery, AuditRow, Queryable } from './table.ts';
