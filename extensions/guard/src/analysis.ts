import type { ClockRange } from '@weft/common';
import type * as Y from 'yjs';
import type { GuardLimits } from './limits.ts';
import { malformed } from './errors.ts';
import type { StructRecord } from './parse.ts';
import { ABSENT, type DeleteBlock, type ParsedUpdate, type StructBlock } from './parse.ts';
import { Places } from './places.ts';
import { indexOfClock, stateOf, type StoredStruct } from './store.ts';

/** Above this many blocks a Map finds them faster than a loop. */
const FEW_BLOCKS = 8;

/** Ranges that are reported as missing: enough to ask for them, while a forged delete set can name hundreds of thousands. */
const MAX_MISSING = 1_000;

/** What the steps of one analysis share. */
export class Analysis {
  readonly doc: Y.Doc;
  readonly limits: GuardLimits;
  readonly update: ParsedUpdate;
  readonly places: Places;
  readonly missing: ClockRange[] = [];
  /** Clocks that are new and become garbage at once. */
  readonly collapsed: ClockRange[] = [];
  /** The deletions that have an effect, by client. */
  readonly deletes: DeleteBlock[] = [];
  /** The bytes to be applied are not those that came. */
  rewrite = false;
  /** The items that go into a list, in the order of integration. */
  readonly placed: StructRecord[] = [];
  /** Items between the neighbours of new ones, as far as they were walked over. */
  walked = 0;
  /** A bound of the items of this update that integration would walk over. */
  passed = 0;
  /** Order or cost are not plain: they have to be found out by a replay. */
  needsReplay = false;
  readonly #blocks: Map<number, StructBlock> | undefined;

  constructor(doc: Y.Doc, update: ParsedUpdate, limits: GuardLimits) {
    this.doc = doc;
    this.update = update;
    this.limits = limits;
    this.places = new Places(doc, limits);
    if (update.blocks.length > FEW_BLOCKS) {
      this.#blocks = new Map(update.blocks.map((block) => [block.client, block]));
    }
  }

  addMissing(client: number, clock: number, length: number): void {
    if (this.missing.length < MAX_MISSING) this.missing.push({ client, clock, length });
  }

  structsOf(client: number): readonly StoredStruct[] | undefined {
    return this.doc.store.clients.get(client);
  }

  blockOf(client: number): StructBlock | undefined {
    if (this.#blocks) return this.#blocks.get(client);
    for (const block of this.update.blocks) if (block.client === client) return block;
    return undefined;
  }

  /** What holds this clock: in the document, else in this update. Only for references that were found met. */
  find(client: number, clock: number): StoredStruct | StructRecord | undefined {
    if (client === ABSENT) return undefined;
    const structs = this.structsOf(client);
    if (structs !== undefined && clock < stateOf(structs)) return structs[indexOfClock(structs, clock)];
    return this.#record(client, clock);
  }

  #record(client: number, clock: number): StructRecord {
    const records = this.blockOf(client)?.records;
    if (records === undefined) throw malformed('reference to nothing');
    let low = 0;
    let high = records.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (records[middle]!.clock <= clock) low = middle;
      else high = middle - 1;
    }
    return records[low]!;
  }
}
