import { createDatabase, openSession, until, type Session } from '@weft/harness';
import { UpdateLog } from '@weft/update-log';
import { beforeEach, expect, inject, onTestFinished, test, vi } from 'vitest';
import { startTestServer, type TestServer } from '../../testing/running-server.ts';
import { SyncResponder } from '../sync/sync-responder.ts';

const NAME = 'cloth';
const WRITER = { sub: 'ada', grants: { [NAME]: 'owner' } };

let server: TestServer;
const printed = vi.spyOn(console, 'error');

beforeEach(async () => {
  server = await startTestServer({ DATABASE_URL: await createDatabase(inject('postgresUrl')) });
  printed.mockClear();
  return () => server.remove();
});

/** Opens a document that is deleted when its log has been read, before it is made of that. */
function openWhileDeleted({ then }: { readonly then?: () => Promise<void> } = {}): Session {
  const { sendAhead } = SyncResponder.prototype;
  const spy = vi.spyOn(SyncResponder.prototype, 'sendAhead');
  spy.mockImplementationOnce(async function (this: SyncResponder, ...args) {
    await sendAhead.apply(this, args);
    expect((await server.as(WRITER)('DELETE', `/v1/documents/${NAME}`)).status).toBe(204);
    await then?.();
  });
  const url = `${server.url.replace('http', 'ws')}/collab`;
  const session = openSession({ url, name: NAME, token: server.token(WRITER) });
  onTestFinished(() => {
    spy.mockRestore();
    session.close();
  });
  return session;
}

test('P11.6 that a document is deleted while it is loaded is told to who opens it, and printed nowhere', async () => {
  const session = openWhileDeleted();
  await until(() => session.authenticationFailures.length > 0, { what: 'the refusal' });
  expect(session.authenticationFailures).toEqual(['document-not-found']);
  expect(printed).not.toHaveBeenCalled();
});

test('P2.12 whoever opens a document whose log cannot be read in that moment comes back', async () => {
  const session = openWhileDeleted({
    then: async () => {
      expect((await server.as(WRITER)('PUT', `/v1/documents/${NAME}`, { body: {} })).status).toBe(201);
      const away = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
      vi.spyOn(UpdateLog.prototype, 'open').mockRejectedValueOnce(away);
    },
  });
  await session.saved();
  expect(session.authenticationFailures).toEqual([]);
  expect(session.closes.map(({ reason }) => reason)).toEqual(['log-unavailable']);
  expect(printed).not.toHaveBeenCalled();
});
