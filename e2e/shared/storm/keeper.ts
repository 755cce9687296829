import type { Random, RestClient } from '@weft/harness';
import * as Y from 'yjs';

/** A time in which somebody had no right to write, as far as the server has said so. Milliseconds since 1970. */
export interface Ban {
  readonly name: string;
  readonly user: string;
  readonly from: number;
  until: number;
}

export interface KeeperOptions {
  /** Whom to ask next: one instance or another. */
  readonly ask: () => RestClient;
  readonly random: Random;
  /** Whose rights come and go. */
  readonly fickle: readonly string[];
}

/** Who manages the documents, over REST: each request is one that has to be granted. */
export class Keeper {
  readonly bans: Ban[] = [];
  private readonly options: KeeperOptions;

  constructor(options: KeeperOptions) {
    this.options = options;
  }

  async make(name: string, mode: 'live' | 'strict' = 'live'): Promise<void> {
    // Somebody whose token says so may have made it by opening it.
    await this.request('PUT', documentPath(name), { expected: [201, 409], body: { mode } });
  }

  async deleteAndMakeAgain(name: string): Promise<void> {
    // Somebody who owns it may have been quicker.
    await this.request('DELETE', documentPath(name), { expected: [204, 404] });
    await this.make(name, this.options.random.pick(['live', 'strict']));
  }

  async changeMode(name: string): Promise<void> {
    const mode = this.options.random.pick(['live', 'strict']);
    await this.request('PATCH', documentPath(name), { expected: [200], body: { mode } });
  }

  async rename(name: string): Promise<void> {
    const title = `Title ${this.options.random.integer(1_000)}`;
    await this.request('PATCH', documentPath(name), { expected: [200], body: { title } });
  }

  async write(name: string): Promise<void> {
    const document = new Y.Doc();
    document.getText('body').insert(0, 'kept ');
    const update = Buffer.from(Y.encodeStateAsUpdate(document)).toString('base64');
    await this.request('POST', `${documentPath(name)}/updates`, { expected: [200, 201], body: { update } });
  }

  /** Gives one of those whose rights come and go another role, or none. */
  async changeSomebodysRights(name: string): Promise<void> {
    const { random, fickle } = this.options;
    const user = random.pick(fickle);
    const role = random.pick(['editor', 'editor', 'commenter', 'viewer', 'none']);
    if (role === 'none') await this.revoke(name, user);
    else await this.grant(name, user, role);
  }

  async grant(name: string, user: string, role: string): Promise<void> {
    if (role !== 'viewer') this.endBan(name, user);
    await this.request('PUT', grantPath(name, user), { expected: [200], body: { role } });
    if (role === 'viewer') this.beginBan(name, user);
  }

  async revoke(name: string, user: string): Promise<void> {
    await this.request('DELETE', grantPath(name, user), { expected: [204, 404] });
    this.beginBan(name, user);
  }

  private beginBan(name: string, user: string): void {
    if (this.banOf(name, user)) return;
    this.bans.push({ name, user, from: Date.now(), until: Infinity });
  }

  /** Before it is asked for: from then on it may be granted. */
  private endBan(name: string, user: string): void {
    const ban = this.banOf(name, user);
    if (ban) ban.until = Date.now();
  }

  private banOf(name: string, user: string): Ban | undefined {
    return this.bans.find((ban) => ban.name === name && ban.user === user && ban.until === Infinity);
  }

  private async request(
    method: string,
    path: string,
    { expected, body }: { readonly expected: readonly number[]; readonly body?: object },
  ): Promise<void> {
    const answer = await this.options.ask().request(method, path, body);
    if (expected.includes(answer.status)) return;
    throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  }
}

function documentPath(name: string): string {
  return `/v1/documents/${encodeURIComponent(name)}`;
}

function grantPath(name: string, user: string): string {
  return `${documentPath(name)}/grants/${encodeURIComponent(`user:${user}`)}`;
}
