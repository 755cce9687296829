import { FrameType, SyncType } from '@weft/common';
import type { FrameReader } from '../wire/frame-reader.ts';

/** Whose frames may have to wait. */
export interface FrameSource {
  /** Handles a frame that has waited. Does not throw. */
  resume(type: number, reader: FrameReader): void;
}

/** A frame, read up to its type. */
interface Waiting {
  readonly source: FrameSource;
  readonly type: number;
  readonly reader: FrameReader;
}

/** Bytes of a frame; a larger one is measured by itself, and costs more than its transaction. */
const SMALL = 4096;
/** Frames that may wait: each keeps what was read from the network with it. */
const MAX_WAITING = 128;

/**
 * The updates that one turn of the event loop brings to a document. The first is handled at once; those after it wait
 * for the end of the turn, to be written in one Yjs transaction: beginning and ending one costs several times what an
 * update does, and more with every client that ever wrote to the document.
 */
export class Turn {
  private readonly writeTogether: (work: () => void) => void;
  private waiting: Waiting[] = [];
  private ending: NodeJS.Immediate | undefined;

  constructor(writeTogether: (work: () => void) => void) {
    this.writeTogether = writeTogether;
  }

  /** Whether the frame waits; else it is to be handled now. */
  takes(source: FrameSource, type: number, reader: FrameReader): boolean {
    if (!isSmallUpdate(type, reader)) {
      // Whatever else somebody sends may be about what they sent before; presence stands for itself.
      if (type !== FrameType.Awareness) this.end();
      return false;
    }
    if (!this.ending) {
      // Before anything that the update itself leaves for the end of the turn.
      this.ending = setImmediate(this.end);
      return false;
    }
    if (this.waiting.length >= MAX_WAITING) {
      this.handleWaiting();
      // What was handled may hold this one back.
      return false;
    }
    this.waiting.push({ source, type, reader });
    return true;
  }

  /** Handles what waits. */
  readonly end = (): void => {
    clearImmediate(this.ending);
    this.ending = undefined;
    this.handleWaiting();
  };

  private handleWaiting(): void {
    const frames = this.waiting;
    if (frames.length === 0) return;
    this.waiting = [];
    const handleAll = () => {
      for (const { source, type, reader } of frames) source.resume(type, reader);
    };
    if (frames.length === 1) handleAll();
    else this.writeTogether(handleAll);
  }
}

function isSmallUpdate(type: number, { bytes, offset }: FrameReader): boolean {
  return type === FrameType.Sync && bytes[offset] === SyncType.Update && bytes.length < SMALL;
}
