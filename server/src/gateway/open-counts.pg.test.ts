import { createDatabase, openSession, until } from '@weft/harness';
import { expect, inject, onTestFinished, test } from 'vitest';
import { startTestServer } from '../testing/running-server.ts';

const NAMES = ['warp', 'weft'];

test('P12.18 connections, sessions and documents that are open are counted, and nothing when all are closed', async () => {
  const server = await startTestServer({ DATABASE_URL: await createDatabase(inject('postgresUrl')) });
  onTestFinished(() => server.remove());
  const counts = async () => {
    const { bytes } = await server.ask('GET', '/metrics');
    const text = Buffer.from(bytes).toString();
    return ['connections', 'sessions', 'documents'].map((what) =>
      Number(new RegExp(`^weft_${what}\\{.*\\} (\\d+)$`, 'm').exec(text)?.[1]),
    );
  };
  const becomes = async (...expected: number[]) => {
    let seen: number[] = [];
    await until(async () => String((seen = await counts())) === String(expected)).catch(() =>
      expect(seen).toEqual(expected),
    );
  };
  const sessions = ['ada', 'ben'].flatMap((sub) =>
    NAMES.map((name) =>
      openSession({
        url: `${server.url.replace('http', 'ws')}/collab`,
        name,
        token: server.token({ sub, grants: { '*': 'owner' } }),
      }),
    ),
  );
  onTestFinished(() => sessions.forEach((session) => session.close()));
  await Promise.all(sessions.map((session) => session.opened()));
  await becomes(4, 4, 2);
  for (const session of sessions) session.close();
  await becomes(0, 0, 0);
});
