export { analyzeUpdate } from './analyze.ts';
export { type EquivocationOptions, findEquivocation } from './equivocation.ts';
export { costlyLimits, defaultLimits, type GuardLimits } from './limits.ts';
export {
  deletionsIn,
  deletionsOf,
  encodeMissed,
  isAllDeleted,
  lackingDeletions,
  type DeletedRanges,
} from './missed.ts';
export { eraseUpdates, type Erased } from './erase.ts';
export { neutralizeUpdate } from './neutralize.ts';
export { type AuthorSplit, splitByAuthor } from './split.ts';
export { type Brought, inTurns, type Turn } from './turns.ts';
export { emptyUpdate, isEmptyUpdate } from './write.ts';
