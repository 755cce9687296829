import { WeftError } from '@weft/common';

/**
 * Of the limit, how much has to be written before a document that has come to it is measured again: encoding a megabyte
 * takes 24 ms.
 */
const MEASURED_EVERY = 1 / 16;

export interface DocumentSizeOptions {
  /** Bytes that a document may have, as its merged update. */
  readonly limit: number;
  /** Bytes that it has. Takes long. */
  readonly measure: () => number;
}

/**
 * How large an open document is at most: everything that it was made of. Much of that may be gone again, so where it comes
 * to the limit the document itself is measured.
 */
export class DocumentSize {
  private readonly options: DocumentSizeOptions;
  private bound = 0;
  private measured = 0;

  constructor(options: DocumentSizeOptions) {
    this.options = options;
  }

  /** Bytes; it is not larger. */
  get atMost(): number {
    return this.bound;
  }

  grow(bytes: number): void {
    this.bound += bytes;
  }

  /** @throws WeftError `document-too-large` when it cannot be made of so many bytes more. */
  requireRoom(bytes: number): void {
    if (this.bound + bytes > this.options.limit) this.measure();
    if (this.bound + bytes > this.options.limit) throw new WeftError('document-too-large');
  }

  private measure(): void {
    const { limit, measure } = this.options;
    if (this.bound - this.measured < limit * MEASURED_EVERY) return;
    this.bound = this.measured = measure();
  }
}
