export { openDatabase, databaseDefaults, type Database, type DatabaseOptions } from './database.ts';
export { DirectoryLockedError } from './embedded/directory-lock.ts';
export { requireOwnSessions } from './own-sessions.ts';
export { migrate, schemaState, type MigrateOptions, type SchemaState } from './migrate.ts';
