import type { FaultProxy } from '@weft/harness';
import { cutOff, heal, type Instance } from './cluster.ts';
import { LostMessages } from './lost-messages.ts';

/** Something that goes wrong with one instance or its connections, and how it ends. */
export interface Mishap {
  readonly name: string;
  begin(instance: Instance): void | Promise<void>;
  /** Nothing of it is left. May be called for an instance that other mishaps have met meanwhile. */
  end(instance: Instance): void | Promise<void>;
}

const connectionsTo = (service: 'redis' | 'postgres'): Mishap[] => [
  {
    name: `${service} cut off`,
    begin: (instance) => cutOff(instance[service]),
    end: (instance) => heal(instance[service]),
  },
  {
    name: `${service} silent`,
    begin: (instance) => instance[service].setMode('stall'),
    end: (instance) => heal(instance[service]),
  },
  {
    name: `${service} cut once`,
    begin: (instance) => instance[service].cut(),
    end: () => undefined,
  },
  ...(['toClient', 'toServer'] as const).map((direction) => ({
    name: `${service} loses what goes ${direction === 'toClient' ? 'to the instance' : 'to it'}`,
    begin: (instance: Instance) => drop(instance[service], direction),
    end: (instance: Instance) => heal(instance[service]),
  })),
];

function drop(proxy: FaultProxy, direction: 'toClient' | 'toServer'): void {
  proxy[direction].mode = 'drop';
}

export const MISHAPS: readonly Mishap[] = [
  {
    name: 'killed',
    begin: ({ server }) => server.kill9(),
    end: ({ server }) => server.start(),
  },
  {
    name: 'frozen',
    begin: ({ server }) => server.process.signal('SIGSTOP'),
    end: ({ server }) => server.process.signal('SIGCONT'),
  },
  ...connectionsTo('redis'),
  ...connectionsTo('postgres'),
  {
    // Presence among them: whole messages, so that no connection is the worse for it and nobody notices.
    name: 'redis messages lost',
    begin: (instance) => void (messagesTo(instance).losing = true),
    end: (instance) => void (messagesTo(instance).losing = false),
  },
];

const sieves = new WeakMap<FaultProxy, LostMessages>();

function messagesTo({ redis }: Instance): LostMessages {
  const sieve = sieves.get(redis) ?? new LostMessages(redis, 'weft:document:');
  sieves.set(redis, sieve);
  return sieve;
}
