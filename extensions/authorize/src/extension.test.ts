import { HocuspocusProvider } from '@hocuspocus/provider';
import { Server } from '@hocuspocus/server';
import type { DocumentKey, Principal } from '@weft/common';
import { analyzeUpdate } from '@weft/guard';
import { until } from '@weft/harness';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AuthorizeExtension } from './extension.ts';
import { Gate } from './gate.ts';
import type { PolicyChange } from './pattern.ts';
import { RoleTable } from './role.ts';
import type { GrantSource } from './source.ts';
import { person, TENANT } from './testing/fixtures.ts';

const roles = new RoleTable();
const closing: (() => void | Promise<unknown>)[] = [];
let server: Server;
let granted: Map<string, string>;
let tell: (change: PolicyChange) => void = () => undefined;
let available = true;
let whileLoading: () => void;

/** Grants in memory: the extension is what is tested here. */
const source: GrantSource = {
  resolve: async (principal: Principal, key: DocumentKey) => {
    if (!available) throw new Error('away');
    const role = roles.get(granted.get(`${principal.user} ${key}`) ?? '');
    return { roles: role ? [role] : [] };
  },
  watch: async (onChange) => {
    tell = onChange;
    return async () => undefined;
  },
};

class Bindings {
  private readonly owners = new Map<string, string>();
  async bind(key: DocumentKey, clientId: number, user: string): Promise<'own' | 'taken'> {
    const name = `${key} ${clientId}`;
    if (!this.owners.has(name)) this.owners.set(name, user);
    return this.owners.get(name) === user ? 'own' : 'taken';
  }
}

beforeEach(async () => {
  granted = new Map();
  available = true;
  whileLoading = () => undefined;
  const gate = new Gate({ sources: [source] });
  await gate.start();
  server = new Server({
    quiet: true,
    port: 0,
    address: '127.0.0.1',
    extensions: [
      {
        priority: 1_000,
        onAuthenticate: async ({ context, token }) =>
          void Object.assign(context as object, { principal: person(token) }),
        onLoadDocument: async () => whileLoading(),
      },
      new AuthorizeExtension({ gate, analyze: analyzeUpdate, bindings: new Bindings(), tenant: TENANT }),
    ],
  });
  await server.listen();
  closing.push(
    () => gate.stop(),
    () => server.destroy(),
  );
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function give(user: string, role: string | undefined): void {
  const name = `${user} ${TENANT}/plan`;
  if (role) granted.set(name, role);
  else granted.delete(name);
  tell({ tenant: TENANT, pattern: 'plan' });
}

function visit(user: string) {
  const reasons: string[] = [];
  const provider = new HocuspocusProvider({
    url: server.webSocketURL,
    name: 'plan',
    token: user,
    onAuthenticationFailed: ({ reason }) => reasons.push(reason),
    onClose: ({ event }) => reasons.push(event.reason),
  });
  closing.push(() => provider.destroy());
  const text = (root: string) => provider.document.getText(root);
  return { provider, reasons, text };
}

async function entered(user: string) {
  const visitor = visit(user);
  await until(() => visitor.provider.isSynced, { what: `${user} to be in` });
  return visitor;
}

const stored = (root: string) => server.hocuspocus.documents.get('plan')?.getText(root).toJSON() ?? '';

describe('P3.11 on a stock Hocuspocus', () => {
  test('P3.22 nobody opens what they may not read', async () => {
    const { reasons } = visit('mallory');
    await until(() => reasons.length > 0);
    expect(reasons).toContain('document-not-found');
    expect(server.hocuspocus.getDocumentsCount()).toBe(0);
  });

  test('P3.11 an editor writes and everybody sees it', async () => {
    give('alice', 'editor');
    give('bob', 'viewer');
    const alice = await entered('alice');
    const bob = await entered('bob');
    alice.text('default').insert(0, 'hello');
    await until(() => bob.text('default').toJSON() === 'hello');
  });

  test('P3.13 a viewer writes nothing, and stays', async () => {
    give('bob', 'viewer');
    const bob = await entered('bob');
    bob.text('default').insert(0, 'x');
    await until(() => bob.provider.hasUnsyncedChanges);
    give('alice', 'editor');
    const alice = await entered('alice');
    alice.text('default').insert(0, 'hello');
    await until(() => bob.text('default').toJSON().includes('hello'));
    expect(stored('default')).toBe('hello');
  });

  test('P3.14 a commenter writes comments, and is out for anything else', async () => {
    give('carol', 'commenter');
    const carol = await entered('carol');
    carol.text('comments').insert(0, 'nice');
    await until(() => stored('comments') === 'nice');
    carol.text('default').insert(0, 'x');
    await until(() => carol.reasons.includes('root-forbidden'));
    expect(stored('default')).toBe('');
  });

  test('P3.19 nobody writes under the client id of another', async () => {
    give('alice', 'editor');
    give('mallory', 'editor');
    const alice = await entered('alice');
    alice.text('default').insert(0, 'a');
    await until(() => stored('default') === 'a');
    const mallory = await entered('mallory');
    mallory.provider.document.clientID = alice.provider.document.clientID;
    mallory.text('default').insert(1, 'b');
    await until(() => mallory.reasons.includes('client-id-taken'));
    expect(stored('default')).toBe('a');
  });

  test('P6.1 nobody shows up under the name or the client id of another', async () => {
    give('alice', 'editor');
    give('mallory', 'viewer');
    const alice = await entered('alice');
    alice.provider.setAwarenessField('user', { name: 'Alice' });
    const mallory = await entered('mallory');
    mallory.provider.setAwarenessField('user', { id: 'alice', name: 'Alice' });
    const seen = () =>
      alice.provider.awareness?.getStates().get(mallory.provider.document.clientID)?.['user'] as unknown;
    await until(() => seen() !== undefined);
    expect(seen()).toEqual({ id: 'mallory', name: 'mallory' });
  });
});

describe('P4.2 on a stock Hocuspocus', () => {
  test('P4.2 who loses the document is out', async () => {
    give('alice', 'editor');
    const alice = await entered('alice');
    give('alice', undefined);
    await until(() => alice.reasons.includes('access-removed'), { timeout: 1_000 });
    alice.text('default').insert(0, 'late');
    give('bob', 'editor');
    const bob = await entered('bob');
    bob.text('default').insert(0, 'in time');
    await until(() => stored('default') !== '');
    expect(stored('default')).toBe('in time');
  });

  test('P4.2 so is who lost it while it was being opened', async () => {
    give('alice', 'editor');
    whileLoading = () => give('alice', undefined);
    const { reasons } = visit('alice');
    await until(() => reasons.includes('access-removed'));
  });

  test('P4.2 who may write again, writes', async () => {
    give('alice', 'viewer');
    const alice = await entered('alice');
    give('alice', 'editor');
    alice.text('default').insert(0, 'now');
    await until(() => stored('default') === 'now');
  });

  test('P4.5 who cannot be checked is out, with a reason to come back for', async () => {
    give('alice', 'editor');
    const alice = await entered('alice');
    available = false;
    give('alice', 'editor');
    await until(() => alice.reasons.includes('permissions-unavailable'));
  });
});
