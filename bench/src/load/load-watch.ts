import { monitorEventLoopDelay } from 'node:perf_hooks';

/** How the generator itself fared; without it a slow generator would pass for a slow server. */
export interface GeneratorLoad {
  /** Share of a core that the generator used. */
  readonly cpu: number;
  /** 99th percentile of its event loop's delay, milliseconds. */
  readonly loopP99: number;
  /** True when it was too busy for its latencies to be the server's. */
  readonly saturated: boolean;
}

const SATURATED_CPU = 0.85;
const SATURATED_LOOP_MS = 40;

export function watchLoad(): () => GeneratorLoad {
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  const startedAt = performance.now();
  const before = process.cpuUsage();
  return () => {
    delay.disable();
    const used = process.cpuUsage(before);
    const cpu = (used.user + used.system) / 1000 / (performance.now() - startedAt);
    const loopP99 = delay.percentile(99) / 1e6;
    return { cpu, loopP99, saturated: cpu > SATURATED_CPU || loopP99 > SATURATED_LOOP_MS };
  };
}
