export { analyzeUpdate } from './analyze.ts';
export { defaultLimits, type GuardLimits } from './limits.ts';
export { neutralizeUpdate } from './neutralize.ts';
export { type AuthorSplit, splitByAuthor } from './split.ts';
export { emptyUpdate, isEmptyUpdate } from './write.ts';
