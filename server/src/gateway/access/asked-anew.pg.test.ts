import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createDatabase } from '@weft/harness';
import { expect, inject, onTestFinished, test } from 'vitest';
import * as Y from 'yjs';
import { startTestServer } from '../../testing/running-server.ts';

test('P4.8 what an endpoint said before a change counts no more where nobody has the document open, either', async () => {
  let role: string | null = 'editor';
  const endpoint = createServer((_, response) => response.end(JSON.stringify({ role })));
  onTestFinished(() => void endpoint.close());
  await new Promise<void>((listening) => endpoint.listen(0, '127.0.0.1', listening));
  const { port } = endpoint.address() as AddressInfo;
  const server = await startTestServer({
    DATABASE_URL: await createDatabase(inject('postgresUrl')),
    WEFT_PERMISSION_URL: `http://127.0.0.1:${port}/may`,
    WEFT_PERMISSION_SECRET: 'shared with the endpoint, 32 bytes.',
  });
  onTestFinished(() => server.remove());
  await server.as({ sub: 'olga' })('PUT', '/v1/documents/plan', { body: {} });
  const anna = server.as({ sub: 'anna' });
  expect((await anna('GET', '/v1/documents/plan')).body).toMatchObject({ role: 'editor' });

  role = null;
  const integrator = server.as({ sub: 'integrator', scope: 'admin' });
  const said = await integrator('POST', '/v1/permission-changes', { body: { pattern: 'plan' } });
  expect(said.status).toBe(204);
  const doc = new Y.Doc();
  doc.getText('body').insert(0, 'too late');
  const update = Y.encodeStateAsUpdate(doc);
  expect((await anna('POST', '/v1/documents/plan/updates', { body: update })).status).toBe(404);
});
