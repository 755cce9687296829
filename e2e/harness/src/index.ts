export * from './ports.ts';
export * from './postgres.ts';
export * from './process.ts';
export * from './programs.ts';
export * from './redis.ts';
export * from './wait.ts';
