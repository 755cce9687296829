import { Backend, MessageSplitter, commandTag, lastWords } from './frames.ts';

/** The one Postgres session there is. `exec` runs a complete exchange and hands out what the server answers. */
export interface RawSession {
  exec(exchange: Buffer, onData: (chunk: Uint8Array) => void): Promise<void>;
  /** Postgres has ended itself within an exchange, which PGlite then never comes back from. */
  ended(reason: string): void;
}

export interface ExchangeEvents {
  answer(frame: Buffer): void;
  notification(frame: Buffer): void;
  listening(): void;
}

/** `idle` outside a transaction, `open` inside one, also a failed one. */
export type TransactionState = 'idle' | 'open';

/** Runs one exchange and sorts what comes back: answers to its connection, notifications to whoever listens. */
export async function runExchange(
  session: RawSession,
  exchange: Buffer,
  events: ExchangeEvents,
): Promise<TransactionState | undefined> {
  const splitter = new MessageSplitter();
  let state: TransactionState | undefined;
  await session.exec(exchange, (chunk) => {
    for (const frame of splitter.push(Buffer.from(chunk))) {
      if (frame[0] === Backend.Notification) {
        events.notification(frame);
        continue;
      }
      if (frame[0] === Backend.CommandComplete && commandTag(frame) === 'LISTEN') events.listening();
      if (frame[0] === Backend.Ready) state = frame[5] === 0x49 ? 'idle' : 'open';
      events.answer(frame);
      const reason = frame[0] === Backend.Error && lastWords(frame);
      if (reason) session.ended(reason);
    }
  });
  return state;
}
