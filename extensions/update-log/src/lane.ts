import type pg from 'pg';
import { PreparedQuery, type PreparedStatement, type TextRow } from './prepared-query.ts';

export interface LaneOptions {
  readonly pool: pg.Pool;
  /** Milliseconds after which a statement is given up and its connection with it. */
  readonly timeoutMs: number;
  /** A new connection is not used before. When it rejects it is closed, and the statement fails. */
  readonly verify: (client: pg.PoolClient) => Promise<void>;
}

/**
 * A connection for appending, kept while it works, so that an append never waits behind other users of the pool.
 */
export class Lane {
  private readonly options: LaneOptions;
  private client: pg.PoolClient | undefined;

  constructor(options: LaneOptions) {
    this.options = options;
  }

  async query(statement: PreparedStatement): Promise<readonly TextRow[]> {
    const client = (this.client ??= await this.checkOut());
    try {
      return await PreparedQuery.run(client, statement, this.options.timeoutMs);
    } catch (error) {
      // Without an answer, what this connection still brings belongs to a statement nobody waits for. With one, it may
      // be the connection that is at fault: made to a server, or at a time, that takes no writes, it never will.
      this.drop(client);
      throw error;
    }
  }

  release(): void {
    const client = this.client;
    this.client = undefined;
    client?.release();
  }

  private async checkOut(): Promise<pg.PoolClient> {
    const client = await this.options.pool.connect();
    try {
      await this.options.verify(client);
    } catch (error) {
      client.release(true);
      throw error;
    }
    client.on('error', () => this.drop(client));
    return client;
  }

  private drop(client: pg.PoolClient): void {
    if (this.client !== client) return;
    this.client = undefined;
    client.release(true);
  }
}
