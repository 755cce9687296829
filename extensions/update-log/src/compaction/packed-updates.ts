/** Of the length before each update, as Postgres' `int4send` writes it: the highest byte first. */
const LENGTH_BYTES = 4;

/** Updates one after the other, each behind its length, with others that are packed already behind them. */
export function pack(updates: readonly Uint8Array[], packed: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const parts = updates.flatMap((update) => [lengthOf(update), update]).concat(packed);
  const bytes = new Uint8Array(parts.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.byteLength;
  }
  return bytes;
}

export function* unpack(bytes: Uint8Array): Generator<Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.byteLength;) {
    const from = at + LENGTH_BYTES;
    at = from + view.getUint32(at);
    yield bytes.subarray(from, at);
  }
}

function lengthOf({ byteLength }: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(LENGTH_BYTES);
  new DataView(bytes.buffer).setUint32(0, byteLength);
  return bytes;
}
