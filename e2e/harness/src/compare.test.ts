import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { differences, documentOf, missingFrom } from './compare.ts';

function written(write: (document: Y.Doc) => void): Y.Doc {
  const document = new Y.Doc();
  document.clientID = 1;
  write(document);
  return document;
}

test('P10.8 replicas with equal state vectors and other content or deletions are told apart', () => {
  const honest = written((document) => document.getText('body').insert(0, 'abc'));
  const forged = written((document) => document.getText('body').insert(0, 'abd'));
  const shortened = documentOf(Y.encodeStateAsUpdate(honest));
  shortened.clientID = 1;
  shortened.getText('body').delete(0, 1);

  expect(differences({ honest, copy: documentOf(Y.encodeStateAsUpdate(honest)) })).toEqual([]);
  expect(differences({ honest, forged }).join()).toMatch(/content of forged/);
  const found = differences({ honest, shortened }).join();
  expect(found).toMatch(/deleteSet of shortened/);
  expect(found).not.toMatch(/stateVector/);
});

test('P10.8 rich content is compared whatever its items are split into and its roots were declared as', () => {
  const one = written((document) => {
    const text = document.getText('body');
    text.insert(0, 'a bold word', {});
    text.format(2, 4, { bold: true });
    document.getMap('meta').set('title', 'Cloth');
    document.getXmlFragment('page').insert(0, [new Y.XmlElement('paragraph')]);
  });
  const two = documentOf(Y.encodeStateAsUpdate(one));
  two.getText('body');
  expect(differences({ one, two })).toEqual([]);
  two.getMap('meta').set('title', 'Thread');
  expect(differences({ one, two }).join()).toMatch(/content of two/);
});

test('P10.8 an update that a document does not hold is found, be it an insertion, a deletion or one that waits', () => {
  const updates: Uint8Array[] = [];
  const author = new Y.Doc();
  author.on('update', (update: Uint8Array) => updates.push(update));
  const text = author.getText('body');
  text.insert(0, 'a');
  text.insert(1, 'b');
  text.insert(2, 'c');
  text.delete(0, 1);
  const [first, second, third, deletion] = updates as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];

  expect(missingFrom(author, updates)).toEqual([]);
  expect(missingFrom(documentOf(first, second, third), updates)).toEqual([deletion]);
  expect(missingFrom(documentOf(first), [first, third])).toEqual([third]);
});
