import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Operations, Reply, Request } from './worker.ts';

type Result<Name extends keyof Operations> = Awaited<ReturnType<Operations[Name]>>;
type Options<Name extends keyof Operations> = Parameters<Operations[Name]>;

/** The parent's end of a load generator process. */
export class LoadGenerator {
  private readonly child: ChildProcess;
  private readonly waiting = new Map<number, PromiseWithResolvers<unknown>>();
  private nextId = 0;

  constructor() {
    this.child = fork(fileURLToPath(new URL('worker.ts', import.meta.url)), {
      execArgv: ['--conditions=weft-source', '--max-old-space-size=8192'],
      serialization: 'advanced',
    });
    this.child.on('message', (reply: Reply) => {
      const waiting = this.waiting.get(reply.id);
      this.waiting.delete(reply.id);
      if (reply.error === undefined) waiting?.resolve(reply.result);
      else waiting?.reject(new Error(reply.error));
    });
    this.child.on('exit', () => {
      for (const waiting of this.waiting.values()) waiting.reject(new Error('The load generator ended'));
      this.waiting.clear();
    });
  }

  call<Name extends keyof Operations>(name: Name, ...[options]: Options<Name>): Promise<Result<Name>> {
    const id = this.nextId++;
    const waiting = Promise.withResolvers<unknown>();
    this.waiting.set(id, waiting);
    this.child.send({ id, name, options } satisfies Request);
    return waiting.promise as Promise<Result<Name>>;
  }

  async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => this.child.once('exit', () => resolve()));
    this.child.kill('SIGKILL');
    await ended;
  }
}
