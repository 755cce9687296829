export interface Connection {
  on(event: 'error', listener: () => void): unknown;
  listeners(event: 'error'): readonly unknown[];
}

const heard = (): void => undefined;

/**
 * Takes a connection out of a pool of `pg`, for a transaction. The pool listens to its connections only while they
 * are idle, and an `error` event that nobody listens to ends the process: one that breaks at the wrong moment
 * would take the instance with it. Whoever has it out learns of it from the next query, which rejects.
 */
export async function checkOut<C extends Connection>(connect: () => Promise<C>): Promise<C> {
  const connection = await connect();
  // Once for each connection, however often it is taken out.
  if (!connection.listeners('error').includes(heard)) connection.on('error', heard);
  return connection;
}
