import type { Access } from '@weft/authorize';
import type { ErrorCode, Principal } from '@weft/common';
import type { Connection } from '@hocuspocus/server';
import type { Receiver } from '../fan-out/receiver.ts';
import type { FrameBody } from '../wire/frames.ts';
import type { Acknowledgements } from './acknowledgements.ts';

/** One who has a document open, as far as the document knows them. */
export interface Participant extends Receiver {
  /** In every row it writes. */
  readonly id: string;
  readonly principal: Principal;
  readonly access: Access;
  readonly isOpen: boolean;
  /** The Yjs transaction origin of everything it writes. */
  readonly origin: { readonly source: 'connection'; readonly connection: Connection };
  /** Yjs clients it has spoken for. */
  readonly clients: ReadonlySet<number>;
  readonly acknowledgements: Acknowledgements;
  /** From now on it may do this, and no more. */
  permit(access: Access): void;
  sendNow(body: FrameBody): void;
  /** Asks what the server lacks: the client answers with all of it, which is acknowledged once. */
  askForSync(): void;
  /** Sends it away, with the reason. */
  end(code: ErrorCode): void;
}
