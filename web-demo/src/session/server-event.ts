/** What the server tells a client about its session: the JSON payload of a stateless message. */
export type ServerEvent =
  | {
      readonly weft: 'access';
      readonly role: string;
      readonly writable: '*' | readonly string[];
      readonly manage: boolean;
      /** Of the document: another one when it was deleted and made again. */
      readonly createdAt?: string;
    }
  | { readonly weft: 'refused'; readonly code: string; readonly message: string; readonly repaired: boolean }
  | { readonly weft: 'closed'; readonly code: string; readonly message: string; readonly retryable: boolean };

/** `undefined` for anything that is not an event of ours: others may use stateless messages too. */
export function parseServerEvent(payload: string): ServerEvent | undefined {
  const event = parseObject(payload);
  switch (event?.['weft']) {
    case 'access':
      return isAccess(event) ? event : undefined;
    case 'refused':
      return isNotice(event) && typeof event['repaired'] === 'boolean'
        ? (event as unknown as ServerEvent)
        : undefined;
    case 'closed':
      return isNotice(event) && typeof event['retryable'] === 'boolean'
        ? (event as unknown as ServerEvent)
        : undefined;
    default:
      return undefined;
  }
}

function parseObject(payload: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(payload);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function isAccess(
  event: Record<string, unknown>,
): event is Record<string, unknown> & Extract<ServerEvent, { weft: 'access' }> {
  const { writable, createdAt } = event;
  return (
    typeof event['role'] === 'string' &&
    typeof event['manage'] === 'boolean' &&
    (createdAt === undefined || typeof createdAt === 'string') &&
    (writable === '*' || (Array.isArray(writable) && writable.every((root) => typeof root === 'string')))
  );
}

function isNotice(event: Record<string, unknown>): boolean {
  return typeof event['code'] === 'string' && typeof event['message'] === 'string';
}
