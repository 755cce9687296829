import { WebSocketStatus } from '@hocuspocus/provider';
import { createDatabase, openSession, openSocket, until, type Session } from '@weft/harness';
import { expect, inject, onTestFinished, test } from 'vitest';
import { startTestServer } from '../../testing/running-server.ts';

const grants = { cloth: 'owner' };

async function begin() {
  const DATABASE_URL = await createDatabase(inject('postgresUrl'));
  const server = await startTestServer({ DATABASE_URL, WEFT_CARRIED_GRACE: '1s' });
  onTestFinished(() => server.remove());
  const url = `${server.url.replace('http', 'ws')}/collab`;
  const enter = (sub: string) => {
    const socket = openSocket({ url });
    onTestFinished(() => socket.close());
    return openSession({ url, socket, name: 'cloth', token: server.token({ sub, grants }) });
  };
  return { server, enter, ada: enter('ada'), ben: enter('ben') };
}

async function leave({ socket: { provider } }: Session): Promise<void> {
  provider.disconnect();
  await until(() => provider.status === WebSocketStatus.Disconnected);
}

test.each(['stays', 'leaves', 'opens it afresh'])(
  'P1.25 who brought an older copy of somebody to a document that was made again, and %s, keeps nobody from being saved',
  async (and) => {
    const { server, enter, ada, ben } = await begin();
    await ada.saved();
    ben.text.insert(0, 'ben ');
    await ben.saved();
    await until(() => ada.text.toJSON() === 'ben ');
    await Promise.all([leave(ada), leave(ben)]);
    const keeper = server.as({ sub: 'keeper', grants });
    expect((await keeper('DELETE', '/v1/documents/cloth')).status).toBe(204);
    expect((await keeper('PUT', '/v1/documents/cloth', { body: {} })).status).toBe(201);

    // To the new document all of it is hers: nobody has heard of anybody there.
    await ada.socket.provider.connect();
    await until(() => ada.provider.isSynced && ada.isSaved);
    if (and !== 'stays') await leave(ada);
    // The same person, and another Yjs client, which cannot bring what the first one would have.
    const afresh = and === 'opens it afresh' ? enter('ada') : undefined;
    await afresh?.opened();

    ben.text.insert(4, 'away ');
    await ben.socket.provider.connect();
    // Each builds on the one before.
    for (const word of ['and ', 'here ', 'again']) {
      await until(() => ben.provider.isSynced);
      ben.text.insert(ben.text.length, word);
    }
    await ben.saved();
    if (and !== 'stays') await ada.socket.provider.connect();
    await until(() => ada.text.toJSON() === 'ben away and here again');
  },
);
