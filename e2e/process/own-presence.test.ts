import { createDatabase, FaultProxy, openSession, startWeft, until } from '@weft/harness';
import { expect, inject, test } from 'vitest';
import { closing } from '../shared/clean-up.ts';

test('P6.7 whose connection broke is not told on coming back what they showed before', async () => {
  const server = closing(await startWeft({ databaseUrl: await createDatabase(inject('postgresUrl')) }));
  await server.as({ sub: 'olga' }).createDocument('a');
  const line = closing(await FaultProxy.start(server.port));
  const token = server.token({ sub: 'olga' });
  const olga = closing(openSession({ url: line.through(server.wsUrl), name: 'a', token }));
  const piet = closing(openSession({ url: server.wsUrl, name: 'a', token }));
  const { awareness } = olga.provider;
  const told: unknown[] = [];
  awareness?.on('update', ({ added, updated }: Record<string, number[]>, origin: unknown) => {
    if (origin !== 'local' && [...(added ?? []), ...(updated ?? [])].includes(olga.document.clientID))
      told.push(awareness.getLocalState());
  });
  const seen = (): unknown => piet.provider.awareness?.getStates().get(olga.document.clientID)?.at;
  for (let round = 1; round <= 4; round++) {
    awareness?.setLocalStateField('at', `before ${round}`);
    await until(() => olga.provider.synced && seen() === `before ${round}`);
    line.refusing = true;
    line.cut();
    await until(() => !olga.provider.synced);
    awareness?.setLocalStateField('at', `offline ${round}`);
    line.refusing = false;
    await until(() => seen() === `offline ${round}`);
    expect(awareness?.getLocalState()?.at).toBe(`offline ${round}`);
    await until(() => awareness?.getStates().has(piet.document.clientID));
  }
  expect(told).toEqual([]);
});
