import { differences, until, type ClientSocket, type Random, type WeftServer } from '@weft/harness';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { expectConvergence, type NamedServer, type Writing } from '../convergence.ts';
import { CALM, CONTESTED, DOOMED, FICKLE, honestPeople, hostileToken, NAMES } from './cast.ts';
import { STORM_ENVIRONMENT } from './environment.ts';
import { Keeper } from './keeper.ts';
import { Mischief } from './mischief.ts';
import type { Person } from './person.ts';

/** Milliseconds in which everybody is back and saved when the storm is over. */
const SETTLED = 30_000;
/** Milliseconds between two changes of one document's rights or life, at most. */
const PAUSE = 250;

/** For what an honest person may be sent away, or an update refused, where nothing happens but what others write. */
const NOTHING: readonly string[] = [];
/** Where a revoked person's deletion is taken back all load anew, as they do after a change of the mode. */
const RELOADS = ['document-rebuild', 'document-reload'];
const REPLACED = [...RELOADS, 'document-deleted', 'document-not-found'];
const REVOKED = [...RELOADS, 'access-removed', 'write-forbidden', 'root-forbidden', 'document-not-found'];

export interface StormOptions {
  /** On one database. */
  readonly instances: readonly NamedServer[];
  readonly random: Random;
  /** Hostile connections at once. */
  readonly hostile?: number;
}

/** Honest people at work while hostile ones do their worst, and documents and rights come and go. */
export class Storm {
  private readonly instances: readonly NamedServer[];
  private readonly random: Random;
  private readonly keeper: Keeper;
  private readonly mischief: Mischief;
  private people: readonly Person[] = [];
  private sockets: readonly ClientSocket[] = [];
  private blowing = false;
  private changes: Promise<unknown> = Promise.resolve();

  constructor({ instances, random, hostile = 16 }: StormOptions) {
    this.instances = instances;
    this.random = random;
    const grants = Object.fromEntries(NAMES.map((name) => [name, 'owner']));
    const ask = () => random.pick(this.servers).as({ sub: 'keeper', grants });
    this.keeper = new Keeper({ ask, random, fickle: FICKLE });
    this.mischief = new Mischief({
      servers: this.servers,
      names: NAMES,
      token: () => hostileToken(this.servers[0] as WeftServer, random),
      random,
      clients: hostile,
    });
  }

  private get servers(): WeftServer[] {
    return this.instances.map(({ server }) => server);
  }

  /** Makes the documents; everybody honest opens theirs and begins to write. */
  async begin(): Promise<void> {
    for (const name of NAMES) await this.keeper.make(name);
    for (const user of FICKLE) await this.keeper.grant(CONTESTED, user, 'editor');
    const { people, sockets } = honestPeople({ servers: this.servers, random: this.random });
    this.people = people;
    this.sockets = sockets;
    await this.untilSaved();
    for (const person of people) person.start();
  }

  /** Lets go everything at once, for so many milliseconds. */
  async blow(milliseconds: number): Promise<void> {
    this.blowing = true;
    this.mischief.start();
    this.changes = Promise.all([this.changeRights(), this.replaceDocuments(), this.writeOverHttp()]);
    await Promise.race([delay(milliseconds), this.changes]);
    this.blowing = false;
    await this.changes;
    await this.mischief.stop();
  }

  private async changeRights(): Promise<void> {
    const { keeper, random } = this;
    while (this.blowing) {
      if (random.chance(0.8)) await keeper.changeSomebodysRights(CONTESTED);
      else if (random.chance(0.5)) await keeper.changeMode(CONTESTED);
      else await keeper.rename(CONTESTED);
      await delay(random.integer(PAUSE));
    }
  }

  private async replaceDocuments(): Promise<void> {
    const { keeper, random } = this;
    while (this.blowing) {
      await keeper.deleteAndMakeAgain(random.pick(DOOMED));
      await delay(random.integer(6 * PAUSE));
    }
  }

  private async writeOverHttp(): Promise<void> {
    const { keeper, random } = this;
    while (this.blowing) {
      await keeper.write(random.pick(CALM));
      await delay(random.integer(PAUSE));
    }
  }

  // ── when it is over ────────────────────────────────────────────────────────

  /** What everybody may expect afterwards, whatever has happened. */
  async expectUnharmed(): Promise<void> {
    for (const user of FICKLE) await this.keeper.grant(CONTESTED, user, 'editor');
    for (const person of this.people) person.pause();
    await this.untilSaved();
    await this.expectHeardByAll();
    for (const name of NAMES) await this.expectAgreement(name);
    this.expectNobodyHonestRefused();
    expect(this.mischief.faults).toEqual([]);
  }

  /** What each writes now reaches everybody else who has that document. */
  private async expectHeardByAll(): Promise<void> {
    this.people.forEach(({ session }, index) => session.document.getMap('marks').set(`mark ${index}`, true));
    for (const name of NAMES) {
      const here = this.people.filter((person) => person.name === name);
      const replicas = () => Object.fromEntries(here.map(({ session }, index) => [index, session.document]));
      const marks = here.map((person) => `mark ${this.people.indexOf(person)}`);
      const heard = () =>
        here.every(({ session }) => marks.every((mark) => session.document.getMap('marks').has(mark)));
      await until(heard, { what: `everybody in ${name} to hear the others` }).catch((error: unknown) => {
        expect.soft(differences(replicas())).toEqual([]);
        throw error;
      });
    }
  }

  private async untilSaved(): Promise<void> {
    await Promise.all(
      this.people.map((person) =>
        until(() => person.session.isSaved, { timeout: SETTLED, what: `${person.user} to be saved` }).catch(
          (cause: unknown) => {
            throw new Error(`${person.user} in ${person.name}: ${person.session.describe()}`, { cause });
          },
        ),
      ),
    );
  }

  /** All replicas, the log, the state and newcomers at each instance; and every acknowledgement was for something, and kept. */
  private async expectAgreement(name: string): Promise<void> {
    const here = this.people.filter((person) => person.name === name);
    const isDoomed = (DOOMED as readonly string[]).includes(name);
    const writing: Writing = {
      name,
      pause: () => undefined,
      allSaved: () => this.untilSaved(),
      documents: () =>
        Object.fromEntries(here.map(({ user, session }, index) => [`${user} ${index}`, session.document])),
      // Of a document that was deleted nothing is kept.
      acknowledged: isDoomed ? [] : here.flatMap(({ acknowledged }) => acknowledged),
      surplus: here.reduce((sum, { surplus }) => sum + surplus, 0),
    };
    const rows = await expectConvergence({ instances: this.instances }, writing);
    const bans = this.keeper.bans.filter((ban) => ban.name === name);
    const during = rows.filter(({ actor, at }) =>
      bans.some(
        ({ user, from, until: end }) => user === actor && Date.parse(at) > from && Date.parse(at) < end,
      ),
    );
    expect(during, 'rows of people who had no right to write').toEqual([]);
  }

  private expectNobodyHonestRefused(): void {
    const found = this.people.map(({ user, name, codes }) => ({ user, name, codes: [...codes] }));
    const wrong = found.filter(({ user, name, codes }) => {
      const allowed = reasonsFor(user, name);
      return codes.some((code) => !allowed.includes(code));
    });
    expect(wrong, 'honest people who were refused what they may').toEqual([]);
  }

  /** Everybody leaves, and the servers keep nothing of it. */
  async expectNothingLeft(): Promise<void> {
    this.close();
    for (const { name, server } of this.instances) {
      await until(async () => (await leftOf(server)).every(([, value]) => value === 0), {
        timeout: 20_000,
        interval: 100,
        what: `nothing to be left at ${name}`,
      }).catch(async (error: unknown) => {
        expect.soft(await leftOf(server)).toEqual([]);
        throw error;
      });
      expect(valueOf(await metricsOf(server), 'process_resident_memory_bytes')).toBeLessThan(MAX_RESIDENT);
    }
  }

  /** No server has found a mistake of its own, and each ends as it should. */
  async expectCleanEnd(): Promise<void> {
    for (const { name, server } of this.instances) {
      if (STORM_ENVIRONMENT.WEFT_LOG_LEVEL === 'error')
        expect(server.logs, `what ${name} calls an error`).toBe('');
      expect(await server.stop(), `the exit code of ${name}`).toBe(0);
    }
  }

  close(): void {
    this.blowing = false;
    for (const person of this.people) person.close();
    for (const socket of this.sockets) socket.close();
  }
}

function reasonsFor(user: string, name: string): readonly string[] {
  if ((CALM as readonly string[]).includes(name)) return NOTHING;
  if ((FICKLE as readonly string[]).includes(user)) return REVOKED;
  return name === CONTESTED ? RELOADS : REPLACED;
}

/** Bytes of memory that a server may have taken at the end: twice what one needs that serves nobody. */
const MAX_RESIDENT = 400 * 1024 * 1024;

/** What must be zero when nobody is there. */
const GAUGES = [
  'weft_connections',
  'weft_sessions',
  'weft_documents',
  'weft_log_pending_bytes',
  'weft_unhandled_rejections_total',
];

async function leftOf(server: WeftServer): Promise<(readonly [string, number])[]> {
  const text = await metricsOf(server);
  return GAUGES.map((name) => [name, valueOf(text, name)] as const);
}

async function metricsOf({ url }: WeftServer): Promise<string> {
  return (await fetch(`${url}/metrics`)).text();
}

function valueOf(metrics: string, name: string): number {
  const value = new RegExp(`^${name}(?:\\{.*?\\})? (\\S+)$`, 'm').exec(metrics)?.[1];
  if (value === undefined) throw new Error(`There is no metric ${name}`);
  return Number(value);
}
