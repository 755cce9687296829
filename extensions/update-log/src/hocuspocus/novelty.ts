import * as Y from 'yjs';

/**
 * What of `update` the document does not have, or `undefined` when it has all of it. A client that reconnects sends
 * its whole document again: nothing of that may become a row.
 * @throws when the bytes are not a Yjs update (v1).
 */
export function noveltyOf(update: Uint8Array, doc: Y.Doc): Uint8Array | undefined {
  const rest = Y.diffUpdate(update, Y.encodeStateVector(doc));
  const { structs, ds } = Y.decodeUpdate(rest);
  if (structs.length > 0) return rest;
  for (const [client, ranges] of ds.clients) {
    if (ranges.some(({ clock, len }) => !isDeleted(doc, client, { clock, len }))) return rest;
  }
  return undefined;
}

function isDeleted(doc: Y.Doc, client: number, { clock, len }: { clock: number; len: number }): boolean {
  const structs = doc.store.clients.get(client) ?? [];
  if (len === 0) return true;
  if (clock + len > Y.getState(doc.store, client)) return false;
  for (let index = Y.findIndexSS(structs, clock); index < structs.length; index++) {
    const struct = structs[index];
    if (!struct || struct.id.clock >= clock + len) break;
    if (!struct.deleted) return false;
  }
  return true;
}
