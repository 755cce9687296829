import { sqlState } from '@weft/common';

/** By SQLSTATE, or its class. */
const WORDS: Readonly<Record<string, string>> = {
  '25006': 'the database takes no writes',
  '28': 'the database refuses the login',
  '3D000': 'the database does not exist',
  '42501': 'the database role lacks rights',
  '42P01': 'tables are missing in the database',
  '53100': 'the disk of the database is full',
  '53200': 'the database is out of memory',
  '53300': 'the database has no free connections',
  '57P01': 'the database is shutting down',
  '57P02': 'the database has crashed and is recovering',
  '57P03': 'the database is starting or shutting down',
};

/** Why nothing can be saved, for whoever may see the probes: no addresses, names or statements. */
export function databaseTrouble(error: unknown): string {
  const state = sqlState(error);
  if (state === undefined) return 'the database does not answer';
  return WORDS[state] ?? WORDS[state.slice(0, 2)] ?? `the database refuses with SQLSTATE ${state}`;
}
