import {
  createDatabase,
  differences,
  FaultProxy,
  openSession,
  startWeft,
  until,
  type Session,
  type TokenClaims,
  type WeftServer,
} from '@weft/harness';
import { expect, inject, test } from 'vitest';
import * as Y from 'yjs';
import { closing } from '../shared/clean-up.ts';
import { bytesOf, expectLogged, reader } from '../shared/promises.ts';

const NAME = 'cloth';

interface Crash {
  readonly server: WeftServer;
  /** Wrote what only was shown, and cannot come back yet. */
  readonly author: Session;
  /** Saw it. */
  readonly witness: Session;
  letAuthorReturn(): void;
}

/** Somebody's edit is shown to others, and the server is killed before it is saved. */
async function crashBetweenShowingAndSaving(
  grace: string,
  { authorsToken = {} }: { readonly authorsToken?: Partial<TokenClaims> } = {},
): Promise<Crash> {
  const postgresUrl = inject('postgresUrl');
  const toPostgres = closing(await FaultProxy.start(Number(new URL(postgresUrl).port)));
  const server = closing(
    await startWeft({
      databaseUrl: toPostgres.through(await createDatabase(postgresUrl)),
      env: { WEFT_CARRIED_GRACE: grace },
    }),
  );
  const owner = server.as({ sub: 'olga' });
  await owner.createDocument(NAME);
  const inToken = Object.keys(authorsToken).length > 0;
  for (const sub of inToken ? ['witness'] : ['author', 'witness']) {
    await owner.grant(NAME, `user:${sub}`, 'editor');
  }
  const open = (sub: string, url = server.wsUrl) => {
    const token = server.token({ sub, ...(sub === 'author' && authorsToken) });
    return closing(openSession({ url, name: NAME, token }));
  };
  const authorsLine = closing(await FaultProxy.start(server.port));
  const author = open('author', authorsLine.through(server.wsUrl));
  const witness = open('witness');
  await Promise.all([author.saved(), witness.saved()]);
  author.text.insert(0, 'saved. ');
  await author.saved();
  await until(() => witness.text.toJSON() === 'saved. ');

  toPostgres.setMode('stall');
  author.text.insert(7, 'shown. ');
  await until(() => witness.text.toJSON() === 'saved. shown. ', { what: 'the edit to be shown' });
  expect(author.isSaved).toBe(false);
  authorsLine.refusing = true;
  await server.kill9();
  toPostgres.cut();
  toPostgres.setMode('pass');
  await server.start();
  return { server, author, witness, letAuthorReturn: () => (authorsLine.refusing = false) };
}

test('P1.12 after a crash the author brings back what was shown and not saved, under the own name', async () => {
  const { server, author, witness, letAuthorReturn } = await crashBetweenShowingAndSaving('30s');
  await until(() => witness.provider.isAuthenticated, { what: 'the witness to be back first' });
  letAuthorReturn();
  await Promise.all([author.saved(), witness.saved()]);
  witness.text.insert(0, 'And: ');
  await witness.saved();
  await until(() => differences({ author: author.document, witness: witness.document }).length === 0);
  const rows = await expectLogged(
    server,
    NAME,
    author.acks.acknowledged.map(({ bytes }) => bytes),
  );
  expect(rows.map(({ actor, kind }) => [actor, kind])).toEqual([
    ['author', 'edit'],
    ['author', 'edit'],
    ['witness', 'edit'],
  ]);
});

test('P1.13 when the author does not come back, a witness carries it after the grace, and the row says so', async () => {
  const { server, witness } = await crashBetweenShowingAndSaving('2s');
  await until(() => witness.provider.isAuthenticated, { what: 'the witness to be back' });
  const backAt = Date.now();
  await witness.saved();
  expect(witness.text.toJSON()).toBe('saved. shown. ');
  const rows = await expectLogged(
    server,
    NAME,
    witness.acks.acknowledged.map(({ bytes }) => bytes),
  );
  expect(rows.at(-1)).toMatchObject({ actor: 'witness', kind: 'carried' });
  expect(new Date(rows.at(-1)?.at ?? 0).getTime()).toBeGreaterThan(backAt);
});

test('P3.34 what an absent author was allowed by a token alone is carried too', async () => {
  const authorsToken = { grants: { [NAME]: 'editor' } };
  const { server, witness } = await crashBetweenShowingAndSaving('1s', { authorsToken });
  await witness.saved();
  expect(witness.text.toJSON()).toBe('saved. shown. ');
  expect((await reader(server, NAME).log(NAME)).at(-1)).toMatchObject({ actor: 'witness', kind: 'carried' });
});

test('P3.34 and nothing is once that token has ended', async () => {
  const authorsToken = { grants: { [NAME]: 'editor' }, expiresIn: 15 };
  const { server, witness } = await crashBetweenShowingAndSaving('17s', { authorsToken });
  const ended = await witness.event('closed', 40_000);
  expect(ended).toMatchObject({ code: 'document-rebuild' });
  expect((await reader(server, NAME).log(NAME)).map(({ kind }) => kind)).toEqual(['edit']);
});

test("P1.14 what a witness writes itself after a crash does not wait for somebody else's grace", async () => {
  const { server, witness } = await crashBetweenShowingAndSaving('never');
  await until(() => witness.provider.isAuthenticated, { what: 'the witness to be back' });
  witness.document.getMap('notes').set('own', 'mine');
  await until(
    async () =>
      (await reader(server, NAME).log(NAME)).some(
        ({ actor, kind }) => actor === 'witness' && kind === 'edit',
      ),
    { what: "the witness's own edit in the log" },
  );
  const rows = await reader(server, NAME).log(NAME);
  expect(rows.some(({ kind }) => kind === 'carried')).toBe(false);
});

test('P4.12 a witness who may no longer write when the author comes back starts from a fresh copy', async () => {
  const { server, author, witness, letAuthorReturn } = await crashBetweenShowingAndSaving('never');
  await until(() => witness.provider.isAuthenticated, { what: 'the witness to be back' });
  witness.text.insert(witness.text.length, 'And mine. ');
  await server.as({ sub: 'olga' }).grant(NAME, 'user:witness', 'viewer');
  await until(() => witness.events.some((event) => event.weft === 'access' && event.role === 'viewer'));
  letAuthorReturn();
  await author.saved();
  expect(await witness.event('closed', 10_000)).toMatchObject({ code: 'document-rebuild' });
  expect(author.text.toJSON()).toBe('saved. shown. ');
});

/** A session of whoever, in a copy of what is saved in which the author wrote something else. */
async function forgerOf({ server, author }: Crash, sub: string): Promise<Session> {
  const document = new Y.Doc();
  for (const row of await reader(server, NAME).log(NAME)) Y.applyUpdate(document, bytesOf(row));
  const own = document.clientID;
  document.clientID = author.document.clientID;
  document.getText('body').insert(7, 'forged.');
  document.clientID = own;
  return closing(openSession({ url: server.wsUrl, name: NAME, token: server.token({ sub }), document }));
}

interface AuditPage {
  readonly entries: readonly { readonly action: string; readonly actor: string }[];
}

async function expectAuditedEquivocation({ server, author }: Crash, actor: string): Promise<void> {
  const admin = server.as({ sub: 'root', scope: 'admin' });
  const entry = await until(
    async () => {
      const { body } = await admin.request<AuditPage>('GET', '/v1/audit?limit=1000');
      return body.entries.find((found) => found.action === 'update.equivocation' && found.actor === actor);
    },
    { what: 'the equivocation in the audit log' },
  );
  expect(entry).toMatchObject({
    document: NAME,
    code: 'document-rebuild',
    detail: { author: 'author', client: author.document.clientID },
  });
}

test('P1.21 an author who comes back with other content than was carried is told, and rebuilds', async () => {
  const crash = await crashBetweenShowingAndSaving('1s');
  const { server, author, witness, letAuthorReturn } = crash;
  witness.close();
  const forger = await forgerOf(crash, 'witness');
  await forger.saved();
  expect((await reader(server, NAME).log(NAME)).at(-1)).toMatchObject({ actor: 'witness', kind: 'carried' });

  letAuthorReturn();
  const ended = await author.event('closed', 20_000);
  expect(ended).toMatchObject({ code: 'document-rebuild', retryable: false });
  expect(author.authenticationFailures).toContain('document-rebuild');
  await expectAuditedEquivocation(crash, 'author');

  author.close();
  const rebuilt = closing(
    openSession({ url: server.wsUrl, name: NAME, token: server.token({ sub: 'author' }) }),
  );
  await rebuilt.saved();
  rebuilt.text.insert(0, 'mine: ');
  await Promise.all([rebuilt.saved(), forger.saved()]);
  await until(() => differences({ rebuilt: rebuilt.document, forger: forger.document }).length === 0);
  expect(rebuilt.text.toJSON()).toBe('mine: saved. forged.');
});

test('P1.21 also when the server was restarted since', async () => {
  const crash = await crashBetweenShowingAndSaving('1s');
  const { server, author, witness, letAuthorReturn } = crash;
  witness.close();
  const forger = await forgerOf(crash, 'witness');
  await forger.saved();
  await server.kill9();
  await server.start();
  await forger.saved();
  letAuthorReturn();
  expect(await author.event('closed', 20_000)).toMatchObject({ code: 'document-rebuild' });
  expect(forger.isSaved).toBe(true);
});

test('P1.21 an author who comes back with what was carried goes on', async () => {
  const { server, author, witness, letAuthorReturn } = await crashBetweenShowingAndSaving('1s');
  await witness.saved();
  letAuthorReturn();
  await author.saved();
  author.text.insert(0, 'Back. ');
  await Promise.all([author.saved(), witness.saved()]);
  await until(() => differences({ author: author.document, witness: witness.document }).length === 0);
  expect(author.events.some(({ weft }) => weft === 'closed')).toBe(false);
  const rows = await reader(server, NAME).log(NAME);
  expect(rows.map(({ actor, kind }) => [actor, kind])).toEqual([
    ['author', 'edit'],
    ['witness', 'carried'],
    ['author', 'edit'],
  ]);
});

test('P1.21 a carrier who brings other content than the author does rebuilds, and nothing of it is shown', async () => {
  const crash = await crashBetweenShowingAndSaving('30s');
  const { author, witness, letAuthorReturn } = crash;
  witness.close();
  const forger = await forgerOf(crash, 'witness');
  await until(() => forger.provider.isAuthenticated, { what: 'the forger to be there first' });
  letAuthorReturn();
  await author.saved();
  expect(await forger.event('closed', 20_000)).toMatchObject({ code: 'document-rebuild' });
  await expectAuditedEquivocation(crash, 'witness');
  expect(author.text.toJSON()).toBe('saved. shown. ');
  expect(author.isSaved).toBe(true);
});
