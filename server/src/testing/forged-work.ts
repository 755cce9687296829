import * as Y from 'yjs';

/** A whole state: what that Yjs client would have written next to what is known. */
export function forgeNext(known: Uint8Array, client: number): Uint8Array {
  const document = new Y.Doc();
  Y.applyUpdate(document, known);
  document.clientID = client;
  document.getText('body').insert(0, 'forged');
  return Y.encodeStateAsUpdate(document);
}
