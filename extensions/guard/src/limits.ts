/** Bounds of one update. Whatever is beyond them is refused as malformed, before anything is allocated for it. */
export interface GuardLimits {
  /** Structs of one update. One struct costs Yjs about 200 bytes of memory, and at least 2 bytes of the update. */
  readonly maxStructs: number;
  /** Client ids that one update has structs of, and that it has deletions of. */
  readonly maxClients: number;
  /** The largest client id. Yjs draws them from 32 bits. */
  readonly maxClientId: number;
  /** The largest clock, in characters and other elements one client id has ever written. */
  readonly maxClock: number;
  /** Clocks of one GC, Skip or deleted struct: their length costs the sender nothing. */
  readonly maxRunLength: number;
  /** How deep a shared type may lie below its root: Yjs deletes and loads by recursion. */
  readonly maxDepth: number;
  /** How deep a JSON-like value may be nested: its readers and writers recurse. */
  readonly maxValueDepth: number;
  /** Root types that one update may add: a root type stays in memory for ever. */
  readonly maxNewRoots: number;
  /** Root types that a document may have. */
  readonly maxRoots: number;
  /** Bytes of UTF-8 of the name of a root type. */
  readonly maxRootNameBytes: number;
  /**
   * Subdocuments that one update may add. None by default: a subdocument makes a Y.Doc on every replica, from
   * options that its author chose, and its content is synchronised past the document's permissions.
   */
  readonly maxSubdocuments: number;
  /** Items between the neighbours an item claims, over which Yjs walks. Beyond: `update-costly`. */
  readonly maxWalk: number;
  /** Such items over all of an update. Beyond: `update-costly`. */
  readonly maxTotalWalk: number;
}

export const defaultLimits: GuardLimits = {
  maxStructs: 500_000,
  maxClients: 10_000,
  maxClientId: 2 ** 32 - 1,
  maxClock: 2 ** 31 - 1,
  maxRunLength: 10_000_000,
  maxDepth: 200,
  maxValueDepth: 100,
  maxNewRoots: 100,
  maxRoots: 1_000,
  maxRootNameBytes: 256,
  maxSubdocuments: 0,
  maxWalk: 10_000,
  maxTotalWalk: 1_000_000,
};

/**
 * For updates that are refused as costly, where it is known who pays: somebody who was offline, and comes back to a
 * place where others have written very much. Applying one then takes up to half a second.
 */
export const costlyLimits = {
  maxWalk: 250_000,
  maxTotalWalk: 500_000,
} as const satisfies Partial<GuardLimits>;

const resolved = new WeakMap<object, GuardLimits>();

/** The limits with the defaults for those that are not given; the same object for the same object. */
export function resolveLimits(limits: Partial<GuardLimits> = defaultLimits): GuardLimits {
  if (limits === defaultLimits) return defaultLimits;
  let all = resolved.get(limits);
  if (all === undefined) resolved.set(limits, (all = { ...defaultLimits, ...limits }));
  return all;
}
