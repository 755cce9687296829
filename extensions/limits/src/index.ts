export * from './gate.ts';
export * from './keyed-buckets.ts';
export * from './keyed-counter.ts';
export * from './token-bucket.ts';
