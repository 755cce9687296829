import type { CommittedUpdate } from '@weft/common';
import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';

/** What the rows that one session writes have in common. Most of a keystroke's message would be this. */
type Authorship = Pick<CommittedUpdate, 'instance' | 'epoch' | 'actor' | 'session' | 'policyRev'>;

interface Told {
  readonly number: number;
  /** Milliseconds since 1970, from which the times of its rows count. */
  readonly since: number;
}

interface Known {
  readonly authorship: Authorship;
  readonly since: number;
}

/**
 * Authorships that are remembered for a reader, and by it. One that is forgotten is defined again, under a new number.
 * Both forget the one defined first, and a reader who missed a definition has all the more room for those still used.
 */
const REMEMBERED = 64;

/** The numbers that have been given. */
export interface Numbers {
  last: number;
}

/**
 * What one reader has been told: an authorship is defined with the first row of it, and is a number from then on. No
 * number is given twice to the same reader, so that one who missed a definition does not know it, and can not take
 * somebody else for the author.
 *
 * ```
 * authorship = 2 × number, plus 1 where its definition follows
 * definition = instance epoch actor session policyRev since
 * ```
 */
export class ToldAuthors {
  private readonly told = new Map<string, Told>();
  private readonly numbers: Numbers;

  constructor(numbers: Numbers = { last: 0 }) {
    this.numbers = numbers;
  }

  /** Writes whose row it is, and when it was committed. */
  write(encoder: encoding.Encoder, row: CommittedUpdate): void {
    const key = [row.epoch, row.policyRev, row.session, row.actor, row.instance].join('\0');
    const known = this.told.get(key);
    const { number, since } = known ?? this.define(key, row);
    encoding.writeVarUint(encoder, number * 2 + (known ? 0 : 1));
    if (!known) writeDefinition(encoder, row);
    encoding.writeVarInt(encoder, row.at.getTime() - since);
  }

  private define(key: string, row: CommittedUpdate): Told {
    const [oldest] = this.told.keys();
    if (this.told.size >= REMEMBERED && oldest !== undefined) this.told.delete(oldest);
    const defined = { number: ++this.numbers.last, since: row.at.getTime() };
    this.told.set(key, defined);
    return defined;
  }
}

function writeDefinition(encoder: encoding.Encoder, row: CommittedUpdate): void {
  encoding.writeVarString(encoder, row.instance);
  encoding.writeVarUint(encoder, row.epoch);
  encoding.writeVarString(encoder, row.actor);
  encoding.writeVarString(encoder, row.session);
  encoding.writeVarUint(encoder, row.policyRev);
  encoding.writeVarUint(encoder, row.at.getTime());
}

/** The other side: what one sender has told. */
export class KnownAuthors {
  private readonly known = new Map<number, Known>();

  /** `undefined` for a number whose definition did not arrive. @throws for what is none. */
  read(decoder: decoding.Decoder): (Authorship & { readonly at: Date }) | undefined {
    const reference = decoding.readVarUint(decoder);
    const number = Math.floor(reference / 2);
    const author = reference % 2 === 1 ? this.learn(number, decoder) : this.known.get(number);
    const elapsed = decoding.readVarInt(decoder);
    return author && { ...author.authorship, at: new Date(author.since + elapsed) };
  }

  private learn(number: number, decoder: decoding.Decoder): Known {
    const authorship = {
      instance: decoding.readVarString(decoder),
      epoch: decoding.readVarUint(decoder),
      actor: decoding.readVarString(decoder),
      session: decoding.readVarString(decoder),
      policyRev: decoding.readVarUint(decoder),
    };
    const author = { authorship, since: decoding.readVarUint(decoder) };
    const [oldest] = this.known.keys();
    if (this.known.size >= REMEMBERED && oldest !== undefined) this.known.delete(oldest);
    this.known.set(number, author);
    return author;
  }
}
