import { fileURLToPath } from 'node:url';

export {
  DocumentStore,
  type DocumentRow,
  type CreateDocument,
  type ListDocuments,
} from './document-store.ts';
export { holdAcknowledgements, type SavedDocuments } from './hocuspocus/hold-acknowledgements.ts';
export { UpdateLogExtension, type UpdateLogExtensionOptions } from './hocuspocus/update-log-extension.ts';
export { UpdateLog, updateLogDefaults, type ReadOptions, type UpdateLogOptions } from './update-log.ts';
export { Compactor, compactorDefaults, type CompactorOptions } from './compaction/compactor.ts';
export type { Retention } from './compaction/compaction-queries.ts';
export { renewEpochs } from './renew-epochs.ts';
export type { LogRow, UpdatePage } from './reader.ts';
export type {
  AppendEntry,
  DocumentHead,
  DocumentLog,
  DocumentLogEvents,
  DocumentMode,
  LoadedDocument,
  LogStats,
  Queryable,
  Reauthorization,
} from './types.ts';

/** The SQL files of this package's tables. */
export const migrationsDirectory = fileURLToPath(new URL('../sql', import.meta.url));
