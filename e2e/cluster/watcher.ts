import { openSession, type Session } from '@weft/harness';
import type { TestCluster } from './cluster.ts';

export interface WatcherOptions {
  readonly cluster: TestCluster;
  /** Where it connects. */
  readonly url: string;
  readonly name: string;
  readonly user: string;
}

/** Somebody who has the document open and looks who else is shown in it. */
export class Watcher {
  readonly session: Session;
  /** Who was shown to leave while the connection held; at its end the stock provider clears the screen itself. */
  readonly leaves: string[] = [];
  readonly user: string;
  private readonly shown = new Map<number, string>();

  constructor({ cluster, url, name, user }: WatcherOptions) {
    this.user = user;
    this.session = openSession({
      url,
      name,
      token: cluster.token({ sub: user, name: user, grants: { [name]: 'viewer' } }),
    });
    this.awareness.on('change', ({ removed }: { removed: number[] }) => this.changed(removed));
  }

  private get awareness() {
    const { awareness } = this.session.provider;
    if (!awareness) throw new Error('The watcher has no awareness');
    return awareness;
  }

  private changed(removed: readonly number[]): void {
    for (const client of removed) {
      const id = this.shown.get(client);
      // Told of twice, by two instances: the second time nobody sees anything.
      if (id !== undefined && this.session.provider.isAuthenticated) this.leaves.push(id);
      this.shown.delete(client);
    }
    for (const [client, state] of this.awareness.getStates()) {
      const id = (state.user as { id?: string } | undefined)?.id;
      if (id !== undefined) this.shown.set(client, id);
    }
  }

  /** Everybody else who is shown, sorted; who is shown twice comes twice. */
  get people(): string[] {
    return [...this.shown.values()].filter((id) => id !== this.user).sort();
  }

  close(): void {
    this.session.close();
  }
}
