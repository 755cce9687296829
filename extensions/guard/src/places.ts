import { WeftError, type RootAccess } from '@weft/common';
import type * as Y from 'yjs';
import { malformed, tooDeep } from './errors.ts';
import type { GuardLimits } from './limits.ts';

export type SharedType = Y.AbstractType<unknown>;

/** One shared type, stored or only in the update: the list and map that items go into. */
export interface Place {
  /** `undefined`: not in the document yet. */
  readonly type: SharedType | undefined;
  readonly access: Writable<RootAccess>;
  /** 0 for a root type. */
  readonly depth: number;
  /** Items of the update that were placed here so far. */
  added: number;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** Names of root types found earlier; checked against the document at each use. */
const rootNames = new WeakMap<object, string>();

/** The places that one update touches. */
export class Places {
  readonly roots = new Map<string, Writable<RootAccess>>();
  readonly newRoots: string[] = [];
  readonly #doc: Y.Doc;
  readonly #limits: GuardLimits;
  readonly #byType = new Map<SharedType, Place>();
  readonly #newByName = new Map<string, Place>();
  #last: Place | undefined;

  constructor(doc: Y.Doc, limits: GuardLimits) {
    this.#doc = doc;
    this.#limits = limits;
  }

  ofType(type: SharedType): Place {
    if (this.#last?.type === type) return this.#last;
    let place = this.#byType.get(type);
    if (place === undefined) {
      place = this.#climb(type);
      this.#byType.set(type, place);
    }
    this.#last = place;
    return place;
  }

  ofRoot(name: string): Place {
    const type = this.#doc.share.get(name) as SharedType | undefined;
    if (type !== undefined) return this.ofType(type);
    let place = this.#newByName.get(name);
    if (place === undefined) {
      place = this.#addRoot(name);
      this.#newByName.set(name, place);
    }
    return place;
  }

  /** The place of a shared type that the update adds inside another. */
  inside(parent: Place): Place {
    const depth = parent.depth + 1;
    if (depth > this.#limits.maxDepth) throw tooDeep('shared types');
    return { type: undefined, access: parent.access, depth, added: 0 };
  }

  #addRoot(name: string): Place {
    const { maxNewRoots, maxRoots } = this.#limits;
    this.newRoots.push(name);
    const added = this.newRoots.length;
    if (added > maxNewRoots || this.#doc.share.size + added > maxRoots)
      throw malformed('too many root types');
    return { type: undefined, access: this.#accessOf(name), depth: 0, added: 0 };
  }

  #climb(type: SharedType): Place {
    let depth = 0;
    let top = type;
    for (let item = top._item; item !== null; item = top._item) {
      top = item.parent as SharedType;
      depth++;
    }
    return { type, access: this.#accessOf(this.#nameOf(top)), depth, added: 0 };
  }

  #nameOf(root: SharedType): string {
    const known = rootNames.get(root);
    if (known !== undefined && this.#doc.share.get(known) === (root as unknown)) return known;
    for (const [name, type] of this.#doc.share) rootNames.set(type, name);
    const name = rootNames.get(root);
    if (name === undefined) throw new WeftError('internal', { detail: 'a type is below no root' });
    return name;
  }

  #accessOf(root: string): Writable<RootAccess> {
    let access = this.roots.get(root);
    if (access === undefined) {
      access = { inserts: false, deletes: false, keys: new Set() };
      this.roots.set(root, access);
    }
    return access;
  }
}
