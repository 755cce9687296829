import { openSocket, type ClientSocket, type Random, type TokenClaims, type WeftServer } from '@weft/harness';
import { Person, type PersonOptions } from './person.ts';

/**
 * What becomes of a document in a storm: nothing, whatever hostile people do in it; the rights of some and its mode
 * change; it is deleted and made again.
 */
export const CALM = ['calm', 'calm/ünïque'] as const;
export const CONTESTED = 'contested';
export const DOOMED = ['doomed', 'doomed too'] as const;
export const NAMES = [...CALM, CONTESTED, ...DOOMED];

/** Whose rights in the contested document come and go; the last of them is not honest besides. */
export const FICKLE = ['fred', 'fay', 'mo'] as const;

interface Part extends Partial<Pick<PersonOptions, 'sessionAwareness' | 'restless'>> {
  readonly user: string;
  readonly names: readonly string[];
  /** Seconds that a token lasts. */
  readonly tokens?: number;
  /** Whether the token says what they may, or grants in the database alone. */
  readonly rights?: 'token' | 'granted';
}

const HONEST: readonly Part[] = [
  { user: 'ada', names: [CALM[0]] },
  { user: 'ben', names: CALM },
  { user: 'cleo', names: [CALM[0], CALM[0]], sessionAwareness: true },
  { user: 'dora', names: [CALM[0]], tokens: 8 },
  { user: 'emil', names: [CALM[1]], restless: 0.005 },
  { user: 'gus', names: [CONTESTED] },
  { user: 'hana', names: [CONTESTED, ...DOOMED] },
  { user: 'ines', names: [CONTESTED], restless: 0.005 },
  { user: 'jon', names: DOOMED },
  { user: 'fred', names: [CONTESTED], rights: 'granted' },
  { user: 'fay', names: [CONTESTED], rights: 'granted' },
];

export interface CastOptions {
  readonly servers: readonly WeftServer[];
  readonly random: Random;
}

export interface Cast {
  readonly people: readonly Person[];
  readonly sockets: readonly ClientSocket[];
}

/** Everybody honest: at one server or the other, each with one socket for all of their documents. */
export function honestPeople({ servers, random }: CastOptions): Cast {
  const sockets: ClientSocket[] = [];
  const people = HONEST.flatMap((part, index) => {
    const server = servers[index % servers.length] as WeftServer;
    const socket = openSocket({ url: server.wsUrl });
    sockets.push(socket);
    return part.names.map((name) => {
      const { user, sessionAwareness, restless } = part;
      const token = () => server.token(claimsOf(part, name));
      return new Person({
        ...{ url: server.wsUrl, name, user, token, random, socket },
        ...(sessionAwareness && { sessionAwareness }),
        ...(restless && { restless }),
      });
    });
  });
  return { people, sockets };
}

function claimsOf({ user, rights = 'token', tokens }: Part, name: string): TokenClaims {
  return {
    sub: user,
    name: user,
    ...(rights === 'token' && { grants: { [name]: 'editor' } }),
    ...(tokens && { expiresIn: tokens }),
  };
}

/** Rights that hostile people have wherever they go. */
const EVERYWHERE: Readonly<Record<string, string>> = { eve: 'editor', cora: 'commenter', vic: 'viewer' };

/** Somebody's who is not honest: valid, about to end, or none at all. */
export function hostileToken(server: WeftServer, random: Random): string {
  if (random.chance(0.05)) return random.pick(['', 'garbage', server.token({ sub: 'eve', expiresIn: -5 })]);
  const sub = random.pick(['eve', 'eve', 'cora', 'vic', 'mo', 'mallory']);
  const role = EVERYWHERE[sub];
  const grants = role && Object.fromEntries(NAMES.map((name) => [name, role]));
  return server.token({
    sub,
    ...(grants && { grants }),
    ...(random.chance(0.2) && { expiresIn: 1 + random.integer(3) }),
  });
}
