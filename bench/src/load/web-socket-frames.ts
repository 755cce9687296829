/** Frames of RFC 6455, section 5.2, as a client sends and receives them: unfragmented, as all our servers send. */

export const Opcode = { Binary: 2, Close: 8, Ping: 9, Pong: 10 } as const;

const FINAL = 0x80;
const MASKED = 0x80;
/** Payload lengths that say how many bytes of length follow. */
const LENGTH_16 = 126;
const LENGTH_64 = 127;
const MAX_HEADER = 10;

export interface AssemblerOptions {
  /** Asked at the beginning of each frame: bytes of its payload to keep. */
  readonly keptBytes: () => number;
  /** A frame is complete. `payload` may be a view of what was added, and cut off; `length` is that of the whole. */
  readonly frame: (opcode: number, payload: Buffer, length: number) => void;
}

interface Header {
  readonly opcode: number;
  readonly length: number;
  /** Bytes of the header itself. */
  readonly bytes: number;
}

/** A frame that did not come in one piece. */
interface Partial {
  readonly opcode: number;
  readonly length: number;
  readonly kept: Buffer;
  received: number;
}

/** Takes the frames out of a stream of bytes that comes in pieces. */
export class FrameAssembler {
  private readonly options: AssemblerOptions;
  private partial: Partial | undefined;
  /** A header that was cut off. */
  private rest: Buffer | undefined;

  constructor(options: AssemblerOptions) {
    this.options = options;
  }

  /** `chunk` may be reused afterwards. */
  add(chunk: Buffer): void {
    const bytes = this.rest ? Buffer.concat([this.rest, chunk]) : chunk;
    this.rest = undefined;
    let at = this.partial ? this.continue(this.partial, bytes) : 0;
    while (at < bytes.length) {
      const header = readHeader(bytes, at);
      if (!header) {
        this.rest = Buffer.from(bytes.subarray(at));
        return;
      }
      at = this.begin(header, bytes, at + header.bytes);
    }
  }

  /** @returns where the next frame begins, or the end of the bytes. */
  private begin({ opcode, length }: Header, bytes: Buffer, at: number): number {
    if (bytes.length - at >= length) {
      this.options.frame(opcode, bytes.subarray(at, at + length), length);
      return at + length;
    }
    const kept = Buffer.allocUnsafe(Math.min(length, this.options.keptBytes()));
    this.partial = { opcode, length, kept, received: 0 };
    return at + this.continue(this.partial, bytes.subarray(at));
  }

  /** @returns how many of the bytes belong to it. */
  private continue(partial: Partial, bytes: Buffer): number {
    const { opcode, length, kept, received } = partial;
    const taken = Math.min(bytes.length, length - received);
    if (received < kept.length) bytes.copy(kept, received, 0, taken);
    partial.received += taken;
    if (partial.received < length) return taken;
    this.partial = undefined;
    this.options.frame(opcode, kept, length);
    return taken;
  }
}

/** `undefined`: there is less of it than that. */
function readHeader(bytes: Buffer, at: number): Header | undefined {
  const first = bytes[at];
  const second = bytes[at + 1];
  if (first === undefined || second === undefined) return undefined;
  const opcode = first & 0x0f;
  if (second < LENGTH_16) return { opcode, length: second, bytes: 2 };
  const extended = second === LENGTH_64 ? 8 : 2;
  if (bytes.length < at + 2 + extended) return undefined;
  const length = extended === 8 ? Number(bytes.readBigUInt64BE(at + 2)) : bytes.readUInt16BE(at + 2);
  return { opcode, length, bytes: 2 + extended };
}

export function maskedFrame(opcode: number, payload: Uint8Array): Buffer {
  const { length } = payload;
  const frame = Buffer.allocUnsafe(MAX_HEADER + 4 + length);
  frame[0] = FINAL | opcode;
  let at = 2;
  if (length < LENGTH_16) frame[1] = MASKED | length;
  else if (length < 2 ** 16) {
    frame[1] = MASKED | LENGTH_16;
    at = frame.writeUInt16BE(length, at);
  } else {
    frame[1] = MASKED | LENGTH_64;
    at = frame.writeBigUInt64BE(BigInt(length), at);
  }
  const mask = at;
  at = frame.writeUInt32BE(Math.floor(Math.random() * 2 ** 32), at);
  for (let i = 0; i < length; i++) frame[at + i] = (payload[i] ?? 0) ^ (frame[mask + (i & 3)] ?? 0);
  return frame.subarray(0, at + length);
}
