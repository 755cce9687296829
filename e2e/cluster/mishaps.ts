import type { FaultProxy, Random } from '@weft/harness';
import { cutOff, heal, type Instance } from './cluster.ts';

/** Something that goes wrong with one instance or its connections, and how it ends. */
export interface Mishap {
  readonly name: string;
  begin(instance: Instance, random: Random): void | Promise<void>;
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
    name: 'redis loses a piece of its stream',
    begin: ({ redis }, random) => redis.toClient.swallow(1 + random.integer(2_000)),
    end: () => undefined,
  },
];
