export * from './analysis.ts';
export * from './cursor.ts';
export * from './document.ts';
export * from './errors.ts';
export * from './ports.ts';
export * from './principal.ts';
export * from './update.ts';
export * from './wire.ts';
