export { compose, type ComposeOptions } from './compose.ts';
export { ConfigError, loadConfig, type Config, type ConfigSources } from './config.ts';
export { createTelemetry, start, type Compose, type RunningServer, type StartOptions } from './lifecycle.ts';
export { stopOnSignals, type SupervisedProcess } from './process.ts';
export type { Services } from './services.ts';
