import { migrationsDirectory as audit } from '@weft/audit';
import { migrationsDirectory as authorize } from '@weft/authorize';
import { migrationsDirectory as updateLog } from '@weft/update-log';

/** Where the tables of all packages are defined. Only `migrate` runs them. */
export const MIGRATION_DIRECTORIES: readonly string[] = [updateLog, authorize, audit];
