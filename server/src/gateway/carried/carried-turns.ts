import { inTurns, type GuardLimits, type Turn } from '@weft/guard';
import { mayWrite } from '../access/may-write.ts';
import type { LiveDocument } from '../document/live-document.ts';
import type { Walks } from '../guard/walks.ts';
import type { Session } from '../session/session.ts';

/** What one session brought, its own and other people's. */
export interface Carried {
  readonly carrier: Session;
  readonly update: Uint8Array;
}

export interface TurnPorts {
  readonly guardLimits: Partial<GuardLimits>;
  readonly walks: Walks;
}

/** Of one document, written without a pause: some tens of milliseconds. */
const MAX_TURNS = 500;

/**
 * Takes from each carrier what they wrote themselves, where several wrote into each other's words: nobody's part stands
 * alone, and without this all would wait for each other. What is decided, and what not, is for the caller to see.
 */
export async function writeInTurns(
  ports: TurnPorts,
  document: LiveDocument,
  carried: readonly Carried[],
): Promise<void> {
  const brought = carried.filter(({ carrier }) => carrier.isOpen);
  const { guardLimits: limits } = ports;
  const turns = inTurns(
    document.document,
    brought.map(({ carrier, update }) => ({
      update,
      isOwn: (client) => carrier.owns(client),
    })),
    { max: MAX_TURNS, limits },
  );
  for (const turn of turns) {
    const carrier = brought[turn.from]?.carrier;
    if (!carrier?.isOpen || document.discarded) continue;
    // In strict mode the next turn can only build on it when it is committed.
    await write(ports.walks, document, carrier, turn);
  }
}

function write(
  walks: Walks,
  document: LiveDocument,
  carrier: Session,
  { update }: Turn,
): void | Promise<void> {
  const { principal, access } = carrier;
  const analysis = walks.analyze({ principal, document: document.document, update });
  // One before it was not allowed, or its author has left or used up their share of the processor.
  if (!analysis || analysis.noop || analysis.missing.length > 0) return;
  if (!mayWrite(access.role, analysis)) return;
  return document.writer.write(carrier, analysis, 'edit');
}
