import type { WebSocketLike } from '@hocuspocus/server';
import { FrameType, SESSION_SEPARATOR, WeftError } from '@weft/common';
import * as decoding from 'lib0/decoding';

/** Acknowledgements that one socket may have waiting. A client has one per update it has sent. */
const MAX_HELD = 10_000;

/** Knows when what a document has seen is committed. */
export interface SavedDocuments {
  /** Rejects when it never will be. */
  saved(documentName: string): Promise<void>;
}

/**
 * The socket to give to `hocuspocus.handleConnection`: what Hocuspocus sends goes out as it comes, but "your update
 * is saved" (a SyncStatus frame) only when it is. It then covers everything its document had seen: a client may have
 * sent again what somebody else's open transaction contains.
 */
export function holdAcknowledgements(webSocket: WebSocketLike, documents: SavedDocuments): WebSocketLike {
  let held = 0;
  const hold = async (documentName: string, frame: SendData) => {
    held++;
    try {
      await documents.saved(documentName);
      webSocket.send(frame);
    } catch {
      // Not saved, so not said. Who failed the document also closes its sockets; a closed socket needs nothing.
    } finally {
      held--;
    }
  };
  return {
    get readyState() {
      return webSocket.readyState;
    },
    close: (code, reason) => webSocket.close(code, reason),
    send(frame) {
      const documentName = acknowledgedDocument(frame);
      if (documentName === undefined) {
        webSocket.send(frame);
        return;
      }
      if (held >= MAX_HELD) {
        const { closeCode, code } = new WeftError('log-backlog-full');
        webSocket.close(closeCode, code);
        return;
      }
      void hold(documentName, frame);
    },
  };
}

type SendData = Parameters<WebSocketLike['send']>[0];

/** The document that a frame says "saved" about. */
function acknowledgedDocument(frame: SendData): string | undefined {
  if (!(frame instanceof Uint8Array)) return undefined;
  const decoder = decoding.createDecoder(frame);
  const address = decoding.readVarString(decoder);
  if (decoding.readVarUint(decoder) !== FrameType.SyncStatus) return undefined;
  if (decoding.readVarUint(decoder) !== 1) return undefined;
  return address.split(SESSION_SEPARATOR, 1)[0];
}
