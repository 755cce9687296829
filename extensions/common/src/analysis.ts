/** `length` consecutive clocks of one Yjs client, from `clock`. */
export interface ClockRange {
  readonly client: number;
  readonly clock: number;
  readonly length: number;
}

/** What an update does below one root type. */
export interface RootAccess {
  /** It adds content. */
  inserts: boolean;
  /** It removes content that was there before, or replaces a map key. */
  deletes: boolean;
  /** The map keys it writes directly on the root. */
  readonly keys: Set<string>;
}

/**
 * What an update would do to a document, found without applying it. The input of every permission decision.
 */
export interface UpdateAnalysis {
  /** Nothing in it is new: acknowledge, and write no row. */
  readonly noop: boolean;
  /** The clocks that are new, by author. */
  readonly authors: readonly ClockRange[];
  /** Keyed by the name of the root type. */
  readonly roots: ReadonlyMap<string, RootAccess>;
  /** Root types that the document does not have yet. */
  readonly newRoots: readonly string[];
  /** It removes content that was there before, anywhere. */
  readonly deletes: boolean;
  /** What it refers to and the document does not have, the first thousand ranges. Not empty: it must not be applied. */
  readonly missing: readonly ClockRange[];
  /**
   * Of the new clocks those that become garbage at once, because what they hang on is gone. Their author may still
   * show them until told to delete them, with the next sync or at once: `neutralizeUpdate(collapsed)`.
   */
  readonly collapsed: readonly ClockRange[];
  /** Items that Yjs passes to find the places of the new ones, at most; each takes it a fraction of a microsecond. */
  readonly walk: number;
  /** Exactly what is to be applied: the input with what is already known cut away. */
  readonly update: Uint8Array;
}
