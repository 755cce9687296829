import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

/** One process of the cluster, as the person at the terminal knows it. */
export interface Member {
  readonly name: string;
  /** What it is and where. */
  readonly description: string;
  readonly logFile: string | undefined;
  readonly pid: number | undefined;
  /** Starts it (again) and waits until it can be used. */
  start(): Promise<void>;
  /** Sends the signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<void>;
  signal(signal: NodeJS.Signals): void;
}

export interface ProcessMemberOptions {
  readonly name: string;
  readonly description: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly logFile: string;
  /** Milliseconds from a polite signal to SIGKILL. */
  readonly patience: number;
  /** Resolves when it can be used. */
  readonly ready: (member: ProcessMember) => Promise<void>;
  /** It ended although nobody here ended it. */
  readonly onCrash: (member: ProcessMember, how: string) => void;
}

/** A process whose output goes to a file, and which is told apart when it ends by itself. */
export class ProcessMember implements Member {
  readonly name: string;
  readonly description: string;
  readonly logFile: string;
  private readonly options: ProcessMemberOptions;
  private child: ChildProcess | undefined;
  private ending = false;

  constructor(options: ProcessMemberOptions) {
    this.options = options;
    this.name = options.name;
    this.description = options.description;
    this.logFile = options.logFile;
  }

  get pid(): number | undefined {
    const running = this.child?.exitCode === null && this.child.signalCode === null;
    return running ? this.child?.pid : undefined;
  }

  async start(): Promise<void> {
    if (this.pid === undefined) this.spawn();
    await this.options.ready(this);
  }

  private spawn(): void {
    const { command, args, env, cwd, logFile } = this.options;
    const log = openSync(logFile, 'a');
    // In a group of its own: Ctrl-C at the terminal is for the one who stops them in order.
    const child = spawn(command, args, { cwd, env, detached: true, stdio: ['ignore', log, log] });
    closeSync(log);
    this.child = child;
    this.ending = false;
    child.once('error', (error) => this.options.onCrash(this, error.message));
    child.once('exit', (code, signal) => {
      if (!this.ending) this.options.onCrash(this, signal ?? `exit code ${code}`);
    });
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const { child } = this;
    if (!child || this.pid === undefined) return;
    this.ending = true;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill(signal);
    // A frozen process would take the signal only when somebody thaws it.
    child.kill('SIGCONT');
    const timer = setTimeout(() => child.kill('SIGKILL'), this.options.patience);
    await ended;
    clearTimeout(timer);
  }

  signal(signal: NodeJS.Signals): void {
    if (this.pid !== undefined) this.child?.kill(signal);
  }
}
