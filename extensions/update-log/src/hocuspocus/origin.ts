import { isTransactionOrigin, type Connection } from '@hocuspocus/server';
import { SYSTEM_ACTOR } from '@weft/common';

export { isTransactionOrigin };

/** Whose change it is, as the log records it. */
export interface Writer {
  readonly actor: string;
  readonly session: string;
}

/** The person behind what an `onAuthenticate` hook has put into the context. */
export type ActorOf = (context: unknown) => string;

const UNKNOWN_ACTOR = 'anonymous';

/** The `sub` or `id` of `context.user`, or of the context itself. */
export const actorOfContext: ActorOf = (context) => {
  const user = property(context, 'user') ?? context;
  const id = property(user, 'sub') ?? property(user, 'id');
  return typeof id === 'string' || typeof id === 'number' ? String(id) : UNKNOWN_ACTOR;
};

export function connectionWriter(connection: Connection, actorOf: ActorOf): Writer {
  const { socketId, sessionId } = connection;
  return { actor: actorOf(connection.context), session: sessionId ?? socketId };
}

/** `undefined`: another instance has logged it. */
export function writerOf(origin: unknown, actorOf: ActorOf): Writer | undefined {
  if (!isTransactionOrigin(origin)) return { actor: SYSTEM_ACTOR, session: '' };
  switch (origin.source) {
    case 'connection':
      return connectionWriter(origin.connection, actorOf);
    case 'local':
      return { actor: origin.context ? actorOf(origin.context) : SYSTEM_ACTOR, session: '' };
    case 'redis':
      return undefined;
  }
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
