/** The answer of `GET /v1/cluster`. */
export interface ClusterState {
  readonly redis: RedisState;
  readonly instances: readonly Instance[];
  readonly documents: readonly OpenDocument[];
  /** Documents that are open and not in the list. */
  readonly more: number;
}

export type RedisState = 'none' | 'connected' | 'away';

export interface Instance {
  readonly id: string;
  readonly version: string;
  readonly state: 'ready' | 'degraded' | 'draining' | 'silent';
  /** Milliseconds since it reported. */
  readonly age: number;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly redis: RedisState;
  readonly connections: number;
  readonly sessions: number;
  readonly documents: number;
  readonly updatesPerSecond: number;
  /** Milliseconds; null when nothing was committed in the last seconds. */
  readonly commitP50: number | null;
  readonly commitP99: number | null;
  /** Rows; null while the log cannot be asked. */
  readonly lag: number | null;
  readonly cpu: number;
  readonly memoryBytes: number;
}

export interface OpenDocument {
  readonly name: string;
  readonly sessions: number;
  readonly head: number;
  readonly positions: readonly {
    readonly instance: string;
    readonly sessions: number;
    readonly seq: number;
  }[];
  readonly present: number;
  readonly people: readonly PresentPerson[];
}

export interface PresentPerson {
  readonly user: string;
  readonly name?: string;
  readonly color?: string;
  readonly session: string;
  readonly instance: string;
}

export interface Health {
  readonly tone: 'good' | 'warn' | 'danger';
  readonly words: string;
}

/** One sentence for somebody who has just been woken up. */
export function healthOf({ redis, instances }: ClusterState): Health {
  const named = (state: Instance['state']) =>
    instances.filter((each) => each.state === state).map(({ id }) => id);
  const degraded = named('degraded');
  if (degraded.length > 0) {
    return {
      tone: 'danger',
      words: `The database takes nothing from ${list(degraded)}. People go on editing; nothing is saved until it does.`,
    };
  }
  const silent = named('silent');
  if (silent.length > 0) {
    return {
      tone: 'danger',
      words: `Nothing is heard from ${list(silent)}. Its people have moved to the others.`,
    };
  }
  if (redis === 'away' || instances.some((each) => each.redis === 'away')) {
    return {
      tone: 'warn',
      words: 'Redis is away. Edits are saved and reach everybody through the log, about half a second later.',
    };
  }
  const draining = named('draining');
  if (draining.length > 0) {
    return { tone: 'warn', words: `${list(draining)} is draining: its people are moving to the others.` };
  }
  return { tone: 'good', words: 'Everything is well.' };
}

const conjunction = new Intl.ListFormat('en', { type: 'conjunction' });
const list = (names: readonly string[]): string => conjunction.format(names);

/** "2 h 5 min", "40 s". */
export function duration(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1_000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d`;
}

/** "0.8", "12", "1.2 s". */
export function latency(milliseconds: number | null): string {
  if (milliseconds === null) return '–';
  if (milliseconds >= 1_000) return `${(milliseconds / 1_000).toFixed(1)} s`;
  return `${milliseconds < 10 ? milliseconds.toFixed(1) : Math.round(milliseconds)} ms`;
}

export function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1_048_576)} MB`;
}
