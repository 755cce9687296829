import { openSession, startReplica, until } from '@weft/harness';
import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { closing } from '../shared/clean-up.ts';
import { bytesOf, expectGapless } from '../shared/promises.ts';
import { clusterOfFile, cutOff, heal, type Instance } from './cluster.ts';

const cluster = clusterOfFile({ instances: 2 });

function open({ server }: Instance, name: string, sub: string) {
  const token = server.token({ sub, grants: { [name]: 'editor' } });
  return closing(openSession({ url: server.wsUrl, name, token }));
}

test('P2.13 a replica that is behind takes over, and somebody who knows nothing of the lost rows writes in their place first', async () => {
  const { instances, postgres } = cluster();
  const [first, second] = instances;
  if (!first || !second) throw new Error('The cluster is too small');
  const replica = closing(await startReplica(postgres));
  const name = 'behind';
  const owner = second.server.as({ sub: 'owner' });
  await owner.createDocument(name);
  const alice = open(first, name, 'alice');
  await alice.opened();
  alice.text.insert(0, 'kept. ');
  await alice.saved();
  await replica.fallBehind();
  alice.text.insert(0, 'lost. ');
  await alice.saved();
  const before = await owner.updates(name);

  await postgres.stop('SIGKILL');
  await replica.promote();
  cutOff(first.postgres);
  for (const instance of instances) instance.postgres.leadTo(replica.port);
  // Has never had the document open, and is the first to write to what is left of it.
  const bob = open(second, name, 'bob');
  await bob.opened(30_000);
  bob.text.insert(0, 'bob. ');
  bob.text.insert(0, 'Bob. ');
  await bob.saved();
  expect(bob.text.toJSON()).toBe('Bob. bob. kept. ');
  heal(first.postgres);
  alice.text.insert(0, 'later. ');

  await until(async () => (await owner.updates(name, { limit: 1 })).epoch > before.epoch, {
    timeout: 20_000,
    what: 'another epoch',
  });
  await until(() => /later\. /.test(bob.text.toJSON()) && bob.text.toJSON() === alice.text.toJSON(), {
    timeout: 20_000,
    what: 'both to have the same',
  });
  await Promise.all([alice.saved(), bob.saved()]);
  await expect(owner.updates(name, { after: before.next })).rejects.toMatchObject({ code: 'cursor-epoch' });
  const rows = await owner.log(name);
  expectGapless(rows);
  const document = new Y.Doc();
  for (const row of rows) Y.applyUpdate(document, bytesOf(row));
  expect(document.getText('body').toJSON()).toBe(alice.text.toJSON());
  for (const words of ['kept. ', 'lost. ', 'later. ', 'Bob. ', 'bob. '])
    expect(alice.text.toJSON()).toContain(words);
});
