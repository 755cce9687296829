import * as decoding from 'lib0/decoding';

/**
 * The entries of a y-protocols awareness update, as they stand in it: client, clock, JSON.
 *
 * @throws for bytes that are no such update
 */
export function* awarenessEntries(
  update: Uint8Array,
): Generator<readonly [client: number, entry: Uint8Array]> {
  const decoder = decoding.createDecoder(update);
  for (let count = decoding.readVarUint(decoder); count > 0; count--) {
    const from = decoder.pos;
    const client = decoding.readVarUint(decoder);
    decoding.readVarUint(decoder);
    decoding.readVarUint8Array(decoder);
    yield [client, update.subarray(from, decoder.pos)];
  }
}
