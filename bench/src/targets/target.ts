import type { CleanUp } from '../clean-up.ts';
import type { PostgresServer, RedisServer, TestProcess } from '@weft/harness';

/** What both servers share: the same Postgres and the same Redis, started once for a run. */
export interface Services {
  readonly postgres: PostgresServer;
  readonly redis: RedisServer;
}

export interface Instance {
  /** Of the WebSocket. */
  readonly url: string;
  process: TestProcess;
}

export interface DeployOptions {
  readonly services: Services;
  /** Ends the instances. */
  readonly cleanUp: CleanUp;
  /** Two or more are linked by Redis; one runs without. */
  readonly instances: number;
  /** Starts with a garbage collector that can be asked for, see {@link collectGarbage}. */
  readonly inspectMemory?: boolean;
}

/** A server under test with a database of its own. */
export interface Deployment {
  readonly instances: readonly Instance[];
  /** Of a person who may write every document of the benchmark. */
  token(user: string): string;
  /**
   * Puts a document there before anybody opens it.
   * @param pieces updates that make the document, in order
   */
  seed(document: string, pieces: readonly Uint8Array[]): Promise<void>;
  /** Waits until what is done with a document in the background some time after it was written has been done. */
  settled(document: string): Promise<void>;
  /** Starts an instance again that has ended. */
  restart(instance: Instance): Promise<void>;
}

export interface Target {
  readonly name: 'stock' | 'weft';
  deploy(options: DeployOptions): Promise<Deployment>;
}

export const TOKEN_SECRET = 'a secret of the benchmark, 32 bytes or more';
