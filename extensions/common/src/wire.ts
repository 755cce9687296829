/**
 * The Hocuspocus 4 wire, as far as Weft reads and writes it. A frame is
 * `address: varString · type: varUint · body`, where the address is `name` or `name\0sessionId`.
 */
export const FrameType = {
  Sync: 0,
  Awareness: 1,
  Auth: 2,
  QueryAwareness: 3,
  SyncReply: 4,
  Stateless: 5,
  BroadcastStateless: 6,
  Close: 7,
  SyncStatus: 8,
  Ping: 9,
  Pong: 10,
} as const;

/** The type after `Sync` and `SyncReply`. Source: y-protocols/sync. */
export const SyncType = { Step1: 0, Step2: 1, Update: 2 } as const;

/** The type after `Auth`. */
export const AuthType = { Token: 0, PermissionDenied: 1, Authenticated: 2 } as const;

export const SESSION_SEPARATOR = '\0';

/**
 * What the server tells a client about its session beyond the Hocuspocus protocol: the JSON payload of a
 * Stateless frame. Clients that do not know it ignore it.
 */
export type ServerEvent =
  /** Sent after opening and whenever the person's rights change. */
  | {
      readonly weft: 'access';
      readonly role: string;
      /** Root types that may be written; `*` for all, empty for read only. */
      readonly writable: '*' | readonly string[];
      readonly manage: boolean;
      /** Of the document, as REST gives it: which one of those that have had its name. */
      readonly createdAt: string;
    }
  /** An update was refused. `repaired`: the server has undone it for everybody, the session goes on. */
  | { readonly weft: 'refused'; readonly code: string; readonly message: string; readonly repaired: boolean }
  /**
   * The document session has ended, or is about to with its connection. `retryable`: reconnecting helps, after
   * `retryAfter` milliseconds, which differ from client to client so that not all come at once.
   */
  | {
      readonly weft: 'closed';
      readonly code: string;
      readonly message: string;
      readonly retryable: boolean;
      readonly retryAfter?: number;
    };
