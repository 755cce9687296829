import type { Administration } from '../administration.ts';
import type { Services } from '../services.ts';

/** What every group of routes gets. */
export interface ApiContext {
  readonly services: Services;
  readonly administration: Administration;
}
