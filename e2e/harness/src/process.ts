import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';

/** A child process with its output kept (the last 200 lines), so that a failure can be explained. */
export class TestProcess {
  readonly child: ChildProcess;
  readonly name: string;
  private readonly lines: string[] = [];

  constructor(name: string, command: string, args: readonly string[], options: SpawnOptions = {}) {
    this.name = name;
    this.child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8');
      stream?.on('data', (text: string) => {
        this.lines.push(...text.split('\n').filter(Boolean));
        this.lines.splice(0, this.lines.length - 200);
      });
    }
  }

  get output(): string {
    return this.lines.join('\n');
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error(`${this.name} did not start`);
    return this.child.pid;
  }

  get running(): boolean {
    return this.child.pid !== undefined && this.child.exitCode === null && this.child.signalCode === null;
  }

  signal(signal: NodeJS.Signals): void {
    if (this.running) this.child.kill(signal);
  }

  /** Sends the signal and waits for the end. Continues a stopped process first, else it would never end. */
  async end(signal: NodeJS.Signals = 'SIGTERM', timeout = 20_000): Promise<number | null> {
    if (!this.running) return this.child.exitCode;
    const ended = new Promise<void>((resolve) => this.child.once('exit', () => resolve()));
    this.child.kill(signal);
    if (signal !== 'SIGKILL') this.child.kill('SIGCONT');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), timeout);
    await ended;
    clearTimeout(timer);
    return this.child.exitCode;
  }
}
