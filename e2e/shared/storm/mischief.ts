import { HostileClient, type Random, type WeftServer } from '@weft/harness';
import { MAX_FRAME } from './environment.ts';

export interface MischiefOptions {
  readonly servers: readonly WeftServer[];
  /** Documents that are there. */
  readonly names: readonly string[];
  readonly token: () => string;
  readonly random: Random;
  /** Connections at once. */
  readonly clients: number;
}

/** Names that no document has, or may have. */
const ODD_NAMES = ['nope', '', '*', 'x'.repeat(300), '\u0001', '..', 'ü/\u202e'];
const BODIES = [
  '{}',
  '[]',
  '{',
  'x',
  '{"role":"editor"}',
  '{"role":5}',
  '{"mode":"strict"}',
  '{"update":"AAA="}',
];

/** Milliseconds between two things that the clients do, at most. */
const PAUSE = 15;

/** People who mean harm, on the wire and over HTTP, until they are stopped. */
export class Mischief {
  /** Answers over HTTP by which a server admits a mistake of its own. */
  readonly faults: string[] = [];
  private readonly options: MischiefOptions;
  private readonly updates: Uint8Array[] = [];
  private clients: HostileClient[] = [];
  private timer: NodeJS.Timeout | undefined;
  private readonly requests = new Set<Promise<void>>();

  constructor(options: MischiefOptions) {
    this.options = options;
  }

  start(): void {
    const { random } = this.options;
    this.timer = setTimeout(() => {
      this.act();
      this.start();
    }, random.integer(PAUSE));
  }

  async stop(): Promise<void> {
    clearTimeout(this.timer);
    for (const client of this.clients) client.close();
    await Promise.all(this.requests);
  }

  close(): Promise<void> {
    return this.stop();
  }

  private act(): void {
    const { random } = this.options;
    this.clients = this.clients.filter(({ ended }) => !ended);
    while (this.clients.length < this.options.clients) this.clients.push(this.connect());
    for (const client of this.clients) if (random.chance(0.5)) client.act();
    if (random.chance(0.2)) this.request();
  }

  private connect(): HostileClient {
    const { servers, names, token, random } = this.options;
    return new HostileClient({
      url: random.pick(servers).wsUrl,
      names: random.chance(0.1) ? [...names, ...ODD_NAMES] : names,
      token,
      random,
      updates: this.updates,
      tooLarge: 2 * MAX_FRAME,
    });
  }

  private request(): void {
    const request = this.ask()
      .catch(() => undefined)
      .finally(() => this.requests.delete(request));
    this.requests.add(request);
  }

  private async ask(): Promise<void> {
    const { servers, token, random } = this.options;
    const [method, path] = this.anyRoute();
    const response = await fetch(`${random.pick(servers).url}/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token()}`,
        'content-type': random.pick(['application/json', 'application/octet-stream']),
      },
      ...(method !== 'GET' && { body: random.pick(BODIES) }),
      signal: AbortSignal.timeout(10_000),
    });
    const text = await response.text();
    if (response.status === 500) this.faults.push(`${method} ${path}: ${text}`);
  }

  private anyRoute(): readonly [method: string, path: string] {
    const { names, random } = this.options;
    const document = `/documents/${encodeURIComponent(random.pick([...names, ...names, ...ODD_NAMES]))}`;
    const cursor = random.pick(['', '1:1', '0:0', 'x', '1:99999999', '9:1']);
    const subject = encodeURIComponent(
      random.pick(['user:eve', 'user:ada', 'tenant:*', 'link:*', 'x', 'user:']),
    );
    return random.pick([
      ['GET', document],
      ['PUT', document],
      ['PATCH', document],
      ['DELETE', document],
      ['GET', `${document}/state`],
      ['GET', `${document}/updates?after=${cursor}`],
      ['POST', `${document}/updates`],
      ['GET', `${document}/presence`],
      ['GET', `${document}/grants`],
      ['PUT', `${document}/grants/${subject}`],
      ['DELETE', `${document}/grants/${subject}`],
      ['GET', '/documents'],
      ['GET', '/audit'],
      ['POST', '/permission-changes'],
      ['GET', '/presence?user=ada'],
    ] as const);
  }
}
