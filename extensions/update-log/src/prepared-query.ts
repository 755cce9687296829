import type pg from 'pg';

/** A statement whose plan the server keeps, and its parameters in the server's text format, bytes as they are. */
export interface PreparedStatement {
  readonly name: string;
  readonly text: string;
  readonly values: readonly (string | Buffer)[];
}

/** The columns of a row in the server's text format. */
export type TextRow = readonly (string | null)[];

type Callback = (error: Error | null, rows?: readonly TextRow[]) => void;

/** What the types of `pg` leave out. */
interface Connection extends pg.Connection {
  readonly parsedStatements: Readonly<Record<string, string>>;
  readonly stream: pg.Connection['stream'] & { cork(): void; uncork(): void };
}

/**
 * Runs a prepared statement on a client of `pg`. Its own query asks for a description of the result each time and
 * makes an object of each row from it; for statements as short as an append that is half of what they cost here.
 */
export class PreparedQuery implements pg.Submittable {
  readonly name: string;
  readonly text: string;
  /** Milliseconds; `pg` reads it, and gives up with an error. */
  readonly query_timeout: number;
  /** `pg` puts its own around it, for the timeout. */
  callback: Callback | undefined;
  private readonly values: PreparedStatement['values'];
  private readonly rows: TextRow[] = [];

  private constructor(statement: PreparedStatement, timeoutMs: number, callback: Callback) {
    this.name = statement.name;
    this.text = statement.text;
    this.values = statement.values;
    this.query_timeout = timeoutMs;
    this.callback = callback;
  }

  static run(
    client: pg.ClientBase,
    statement: PreparedStatement,
    timeoutMs: number,
  ): Promise<readonly TextRow[]> {
    return new Promise((resolve, reject) => {
      client.query(
        new PreparedQuery(statement, timeoutMs, (error, rows = []) => {
          if (error) reject(error);
          else resolve(rows);
        }),
      );
    });
  }

  submit(given: pg.Connection): void {
    const connection = given as Connection;
    const { name, text } = this;
    connection.stream.cork();
    if (connection.parsedStatements[name] === undefined) connection.parse({ name, text, types: [] }, true);
    connection.bind({ statement: name, values: [...this.values] }, true);
    connection.execute({}, true);
    connection.sync();
    connection.stream.uncork();
  }

  handleRowDescription(): void {}

  handleDataRow({ fields }: { readonly fields: TextRow }): void {
    this.rows.push(fields);
  }

  handleCommandComplete(): void {}

  handleReadyForQuery(): void {
    this.settle(null, this.rows);
  }

  handleError(error: Error): void {
    this.settle(error);
  }

  private settle(error: Error | null, rows?: readonly TextRow[]): void {
    const { callback } = this;
    this.callback = undefined;
    callback?.(error, rows);
  }
}
