import { createDatabase, openSession, startWeft, until } from '@weft/harness';
import { expect, inject, test } from 'vitest';
import * as Y from 'yjs';
import { closing } from '../shared/clean-up.ts';

const NAME = 'cloth';
/** Deeper than Yjs can be trusted to delete and load by recursion. */
const TOO_DEEP = 300;

function nest(document: Y.Doc): void {
  document.transact(() => {
    let parent: Y.XmlFragment = document.getXmlFragment('foreign');
    for (let depth = 0; depth < TOO_DEEP; depth++) {
      const child = new Y.XmlElement('box');
      parent.insert(0, [child]);
      parent = child;
    }
  });
}

function value(document: Y.Doc): void {
  let inner: unknown[] = [];
  for (let depth = 0; depth < TOO_DEEP; depth++) inner = [inner];
  document.getMap('foreign').set('value', inner);
}

test.for([
  ['elements', nest],
  ['values', value],
] as const)(
  'P7.12 %s nested too deep are refused at once, and their author told to rebuild',
  async ([, write]) => {
    const server = closing(await startWeft({ databaseUrl: await createDatabase(inject('postgresUrl')) }));
    await server.as({ sub: 'olga' }).createDocument(NAME);
    const open = (sub: string) => {
      const token = server.token({ sub, grants: { [NAME]: 'editor' } });
      return closing(openSession({ url: server.wsUrl, name: NAME, token }));
    };
    const [alice, bob] = [open('alice'), open('bob')];
    await Promise.all([alice.opened(), bob.opened()]);
    write(alice.document);
    expect(await alice.event('refused')).toMatchObject({ code: 'nested-too-deep', repaired: false });
    expect(await alice.event('closed')).toMatchObject({ code: 'document-rebuild', retryable: false });
    alice.close();

    const rebuilt = open('alice');
    await rebuilt.opened();
    rebuilt.text.insert(0, 'flat');
    await rebuilt.saved();
    await until(() => bob.text.toJSON() === 'flat');
  },
);
