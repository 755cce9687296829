import type { CleanUp } from '../clean-up.ts';
import { TestProcess, until } from '@weft/harness';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { MemoryReport } from './memory-probe.ts';

export interface LaunchOptions {
  readonly name: string;
  /** Arguments for Node: the program and its own. */
  readonly args: readonly string[];
  readonly env: Record<string, string>;
  readonly inspectMemory: boolean;
  /** Ends it. */
  readonly cleanUp: CleanUp;
  /** Resolves truthy when the server takes traffic. */
  ready(): Promise<boolean>;
}

/** Whether a collection drops code that ran only at the start is a matter of chance, and of 7 MB. */
const KEEP_CODE = '--no-flush-bytecode';
const PROBE = fileURLToPath(new URL('memory-probe.ts', import.meta.url));

/** Starts a server with the Node that runs the benchmark, and waits until it takes traffic. */
export async function launch(options: LaunchOptions): Promise<TestProcess> {
  const { name, args, env, inspectMemory } = options;
  const probe = inspectMemory ? ['--expose-gc', KEEP_CODE, `--import=${PROBE}`] : [];
  const server = new TestProcess(name, process.execPath, ['--conditions=weft-source', ...probe, ...args], {
    env: { PATH: process.env.PATH, NODE_ENV: 'production', ...env },
    stdio: inspectMemory ? ['ignore', 'pipe', 'pipe', 'ipc'] : ['ignore', 'pipe', 'pipe'],
  });
  options.cleanUp.add(() => server.end('SIGKILL'));
  const ended = once(server.child, 'exit').then(() => {
    throw new Error(`${name} ended:\n${server.output.slice(0, 1_000)}`);
  });
  // It ends later, too, and then nobody waits for this.
  ended.catch(() => undefined);
  await Promise.race([ended, until(options.ready, { timeout: 30_000, what: `${name} to be ready` })]);
  return server;
}

/** Asks a server started with `inspectMemory` to collect garbage; bytes that are left. */
export async function collectGarbage(server: TestProcess): Promise<MemoryReport> {
  const answer = once(server.child, 'message') as Promise<[MemoryReport]>;
  server.child.send('collect');
  return (await answer)[0];
}

/** True when `url` answers with a success. */
export async function answersOk(url: string): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(1_000) });
  return response.ok;
}
