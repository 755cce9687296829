import { WeftError } from '@weft/common';
import { encodeAwareness, readAwarenessFrame, type AwarenessEntry } from '@weft/presence';
import type { Connection, Extension } from '@hocuspocus/server';
import * as encoding from 'lib0/encoding';

/** Hooks of users' extensions that the gateway calls itself, if there are any. */
const CALLED_HOOKS = [
  'onConnect',
  'onAuthenticate',
  'beforeHandleMessage',
  'beforeSync',
  'beforeHandleAwareness',
  'onChange',
  'onStoreDocument',
  'onAwarenessUpdate',
  'onStateless',
  'connected',
  'onDisconnect',
] as const satisfies readonly (keyof Extension)[];

type CalledHook = (typeof CALLED_HOOKS)[number];

/** The frame hooks of users' own Hocuspocus extensions, called where the gateway takes frames past Hocuspocus. */
export class UserHooks {
  private readonly present: ReadonlySet<CalledHook>;

  constructor(extensions: readonly Extension[]) {
    this.present = new Set(CALLED_HOOKS.filter((hook) => extensions.some((extension) => hook in extension)));
  }

  has(hook: CalledHook): boolean {
    return this.present.has(hook);
  }

  /** @throws WeftError `forbidden` when a hook rejects, with its error as the cause. */
  async beforeMessage(connection: Connection, body: Uint8Array): Promise<void> {
    if (!this.has('beforeHandleMessage')) return;
    const encoder = encoding.createEncoder();
    encoding.writeVarString(encoder, connection.messageAddress);
    encoding.writeUint8Array(encoder, body);
    const frame = encoding.toUint8Array(encoder);
    await refusing(connection.callbacks.beforeHandleMessage(connection, frame));
  }

  async beforeSync(connection: Connection, type: number, payload: Uint8Array): Promise<void> {
    if (this.has('beforeSync'))
      await refusing(connection.callbacks.beforeSync(connection, { type, payload }));
  }

  /** Hooks may change the states, drop clients and add some. Returns what is left. */
  async beforeAwareness(connection: Connection, update: Uint8Array): Promise<Uint8Array | undefined> {
    const entries = readAwarenessFrame(update);
    const clocks = new Map(entries.map(({ client, clock }) => [client, clock]));
    const states = new Map(
      entries.flatMap(({ client, state }) =>
        state ? [[client, state as Record<string, unknown>] as const] : [],
      ),
    );
    const { document } = connection;
    const origin = { source: 'connection', connection } as const;
    await refusing(document.callbacks.beforeHandleAwareness(document, states, origin));
    const left: AwarenessEntry[] = entries.filter(({ state }) => state === null);
    for (const [client, state] of states) {
      left.push({ client, clock: clocks.get(client) ?? Date.now(), state: state as AwarenessEntry['state'] });
    }
    return left.length > 0 ? encodeAwareness(left) : undefined;
  }
}

async function refusing(hook: Promise<unknown>): Promise<void> {
  try {
    await hook;
  } catch (cause) {
    throw new WeftError('forbidden', { detail: 'refused by an extension', cause });
  }
}
