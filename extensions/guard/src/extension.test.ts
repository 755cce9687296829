import { HocuspocusProvider } from '@hocuspocus/provider';
import { Server } from '@hocuspocus/server';
import { FrameType, SyncType } from '@weft/common';
import { until } from '@weft/harness';
import * as encoding from 'lib0/encoding';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import * as Y from 'yjs';
import { GuardExtension } from './extension.ts';
import { Ref } from './content.ts';
import { type ForgedStruct, forgeUpdate, run, text } from './testing/forge.ts';

const NAME = 'plan';
const closing: (() => void | Promise<unknown>)[] = [];
let server: Server;

beforeEach(async () => {
  server = new Server({ quiet: true, port: 0, address: '127.0.0.1', extensions: [new GuardExtension()] });
  await server.listen();
  closing.push(() => server.destroy());
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function visit() {
  const reasons: string[] = [];
  const provider = new HocuspocusProvider({
    url: server.webSocketURL,
    name: NAME,
    onClose: ({ event }) => reasons.push(event.reason),
  });
  closing.push(() => provider.destroy());
  await until(() => provider.isSynced);
  return { provider, reasons };
}

/** Sends an update that no provider would. */
function send(provider: HocuspocusProvider, update: Uint8Array): void {
  const frame = encoding.encode((encoder) => {
    encoding.writeVarString(encoder, NAME);
    encoding.writeVarUint(encoder, FrameType.Sync);
    encoding.writeVarUint(encoder, SyncType.Update);
    encoding.writeVarUint8Array(encoder, update);
  });
  provider.configuration.websocketProvider.webSocket?.send(frame);
}

function stored(): Y.Doc {
  return server.hocuspocus.documents.get(NAME)!;
}

const character: ForgedStruct = { ref: Ref.String, parent: 'body', body: text('x') };

describe('P7.10 the guard in a stock Hocuspocus', () => {
  test('P9.8 people edit as before', async () => {
    const [alice, bob] = [await visit(), await visit()];
    alice.provider.document.getText('body').insert(0, 'hello');
    await until(() => bob.provider.document.getText('body').length === 5);
    bob.provider.document.getText('body').insert(5, ' world');
    await until(() => alice.provider.document.getText('body').toJSON() === 'hello world');
    await until(() => !alice.provider.hasUnsyncedChanges && !bob.provider.hasUnsyncedChanges);
    expect(alice.reasons).toEqual([]);
  });

  test('P7.10 a malformed update ends its own session with a code, and nobody else’s', async () => {
    const [alice, mallory] = [await visit(), await visit()];
    send(mallory.provider, forgeUpdate([{ client: 7, clock: 0, structs: [{ ref: Ref.GC, body: run(0) }] }]));
    await until(() => mallory.reasons.includes('update-malformed'));
    expect(stored().store.clients.size).toBe(0);
    alice.provider.document.getText('body').insert(0, 'still here');
    await until(() => !alice.provider.hasUnsyncedChanges);
    expect(alice.reasons).toEqual([]);
  });

  test('P3.21 an update with missing dependencies is not kept pending', async () => {
    await visit();
    const document = stored();
    const { provider, reasons } = await visit();
    send(provider, forgeUpdate([{ client: 7, clock: 5, structs: [character] }]));
    await until(() => reasons.includes('update-missing-dependencies'));
    expect(document.store.pendingStructs).toBeNull();
  });

  test('P3.18 a partly known struct is applied as it was analysed', async () => {
    const { provider } = await visit();
    provider.document.getText('body').insert(0, 'hello');
    await until(() => !provider.hasUnsyncedChanges);
    const origin = { client: provider.document.clientID, clock: 4 };
    send(provider, forgeUpdate([{ client: 7, clock: 0, structs: [{ ...character, parent: 'notes' }] }]));
    const longer = { ...character, origin, body: text('xy') };
    send(provider, forgeUpdate([{ client: 7, clock: 0, structs: [longer] }]));
    await until(() => Y.getState(stored().store, 7) === 2);
    expect(stored().getText('body').toJSON()).toBe('hello');
    expect(stored().getText('notes').toJSON()).toBe('xy');
  });
});
