import { WeftError } from '@weft/common';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** A position in an inbound frame of the Hocuspocus wire; reading copies nothing. Throws `frame-malformed` where the frame ends too early. */
export class FrameReader {
  readonly bytes: Uint8Array;
  offset = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** An unsigned varint below 2^31; everything the protocol counts is far below. */
  uint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.bytes[this.offset++];
      if (byte === undefined) throw new WeftError('frame-malformed', { detail: 'varint is cut off' });
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) {
        if (value > 0x7fffffff) break;
        return value;
      }
    }
    throw new WeftError('frame-malformed', { detail: 'varint is too large' });
  }

  /** The type of a frame: one byte, so that where it stands is known afterwards. @see {@link fromType} */
  type(): number {
    const byte = this.bytes[this.offset++];
    if (byte === undefined || byte >= 0x80) throw new WeftError('frame-malformed', { detail: 'frame type' });
    return byte;
  }

  /** What has been read up to its type, from that on, as a view. */
  get fromType(): Uint8Array {
    return this.bytes.subarray(this.offset - 1);
  }

  /** A length and that many bytes, as a view. */
  block(): Uint8Array {
    const length = this.uint();
    const end = this.offset + length;
    if (end > this.bytes.length) throw new WeftError('frame-malformed', { detail: 'block is cut off' });
    const view = this.bytes.subarray(this.offset, end);
    this.offset = end;
    return view;
  }

  string(): string {
    const block = this.block();
    try {
      return utf8.decode(block);
    } catch (cause) {
      throw new WeftError('frame-malformed', { detail: 'string is not UTF-8', cause });
    }
  }

  get done(): boolean {
    return this.offset >= this.bytes.length;
  }
}
