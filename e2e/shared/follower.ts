import type { LogRow, RestClient } from '@weft/harness';

/** Reads on from its cursor without pause, as an integrator's consumer would. */
export class Follower {
  readonly rows: LogRow[] = [];
  private stopped = false;
  private readonly done: Promise<void>;

  constructor(client: RestClient, name: string) {
    this.done = this.follow(client, name);
  }

  private async follow(client: RestClient, name: string): Promise<void> {
    let after: string | undefined;
    while (!this.stopped) {
      const page = await client.updates(name, { limit: 50, ...(after !== undefined && { after }) });
      this.rows.push(...page.rows);
      after = page.next;
    }
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.done;
  }
}
