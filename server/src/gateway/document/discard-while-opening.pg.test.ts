import { documentKey } from '@weft/common';
import { createDatabase, openSession, until } from '@weft/harness';
import type { Extension } from '@hocuspocus/server';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test, vi } from 'vitest';
import { startTestServer, type TestServer } from '../../testing/running-server.ts';

/** By document and hook: the first load of that document waits there until it is let go. */
const held = new Map<string, { readonly reached: () => void; readonly letGo: Promise<void> }>();

const waitIn = (hook: string) => async (payload: { documentName: string }) => {
  const place = `${payload.documentName} ${hook}`;
  const hold = held.get(place);
  held.delete(place);
  hold?.reached();
  await hold?.letGo;
};

/** By document: called when it has been loaded, before anybody is given it. */
const loaded = new Map<string, () => void>();

const extension: Extension = {
  onCreateDocument: waitIn('onCreateDocument'),
  onLoadDocument: waitIn('onLoadDocument'),
  afterLoadDocument: async (payload) => {
    await waitIn('afterLoadDocument')(payload);
    loaded.get(payload.documentName)?.();
    loaded.delete(payload.documentName);
  },
};

let server: TestServer;

beforeAll(async () => {
  const database = await createDatabase(inject('postgresUrl'));
  server = await startTestServer({ DATABASE_URL: database }, { extensions: [extension] });
});
afterAll(() => server.remove());

describe.each(['onCreateDocument', 'onLoadDocument', 'afterLoadDocument'])('while %s runs', (hook) => {
  test('P7.2 a document that is given up while it is being opened is opened anew, by all who wait for it', async () => {
    const name = `given up in ${hook}`;
    const reached = Promise.withResolvers<void>();
    const letGo = Promise.withResolvers<void>();
    held.set(`default/${name} ${hook}`, { reached: reached.resolve, letGo: letGo.promise });
    const grants = { [name]: 'owner' };
    const sessions = ['ada', 'ben'].map((sub) =>
      openSession({
        url: `${server.url.replace('http', 'ws')}/collab`,
        name,
        token: server.token({ sub, grants }),
      }),
    );
    onTestFinished(() => sessions.forEach((session) => session.close()));
    await reached.promise;
    const ask = server.as({ sub: 'ada', grants });
    const path = `/v1/documents/${encodeURIComponent(name)}`;
    expect((await ask('DELETE', path)).status).toBe(204);
    // Unless somebody who came late has made it by opening it.
    expect([201, 409]).toContain((await ask('PUT', path, { body: {} })).status);
    letGo.resolve();

    for (const session of sessions) await session.saved(8_000);
    for (const { text } of sessions) text.insert(0, 'still here ');
    for (const session of sessions) await session.saved(8_000);
    await until(() => sessions.every(({ text }) => text.toJSON() === 'still here still here '));
  });
});

test('P7.2 who may make a document by opening it has it, also when it is deleted in the moment in which it is made', async () => {
  const name = 'deleted as it is made';
  const grants = { [name]: 'owner' };
  const { administration } = server.services;
  const create = administration.createDocument.bind(administration);
  const made = vi.spyOn(administration, 'createDocument').mockImplementationOnce(async (...given) => {
    const outcome = await create(...given);
    await server.as({ sub: 'ada', grants })('DELETE', `/v1/documents/${encodeURIComponent(name)}`);
    return outcome;
  });
  onTestFinished(() => made.mockRestore());
  const url = `${server.url.replace('http', 'ws')}/collab`;
  const session = openSession({ url, name, token: server.token({ sub: 'ada', grants }) });
  onTestFinished(() => session.close());
  await session.saved(8_000);
  expect(session.authenticationFailures).toEqual([]);
  expect(made).toHaveBeenCalledTimes(2);
});

/** More than lie between the last hook and the moment at which everybody who waits has the document. */
const MOMENTS = Array.from({ length: 14 }, (_, microtasks) => microtasks);

test('P7.2 a document that is given up in any moment of its opening shuts nobody out', async () => {
  const sessions = MOMENTS.flatMap((microtasks) => {
    const name = `given up after ${microtasks}`;
    const key = documentKey('default', name);
    loaded.set(key, () =>
      after(microtasks, () => void server.services.collaboration.closeDocument(key, 'document-reload')),
    );
    const grants = { [name]: 'owner' };
    const url = `${server.url.replace('http', 'ws')}/collab`;
    return ['ada', 'ben'].map((sub) => openSession({ url, name, token: server.token({ sub, grants }) }));
  });
  onTestFinished(() => sessions.forEach((session) => session.close()));
  await Promise.all(sessions.map((session) => session.saved(20_000)));
  for (const { text } of sessions) text.insert(0, 'here ');
  await until(() => sessions.every(({ text }) => text.toJSON() === 'here here '), {
    what: 'both to be heard',
  });
  expect(loaded.size).toBe(0);
});

function after(microtasks: number, run: () => void): void {
  if (microtasks === 0) run();
  else queueMicrotask(() => after(microtasks - 1, run));
}
