import { describe, expect, test } from 'vitest';
import * as Y from 'yjs';
import {
  addReply,
  addThread,
  commentsOf,
  deleteMessage,
  readThreads,
  reopenThread,
  resolveThread,
} from './threads.ts';

const ada = { id: 'ada', name: 'Ada', color: '#4149c4' };
const grace = { id: 'grace', name: 'Grace', color: '#b0402a' };

function docWithThread(): { doc: Y.Doc; id: string } {
  const doc = new Y.Doc();
  const id = addThread(doc, {
    anchor: { from: '{}', to: '{}' },
    quote: 'the cover',
    author: ada,
    text: 'Which one?',
  });
  return { doc, id };
}

describe('P3.14 comments are written into the shared type `comments` and nowhere else', () => {
  test('P3.14 whatever is done with a thread', () => {
    const { doc, id } = docWithThread();
    addReply(doc, id, { author: grace, text: 'B.' });
    resolveThread(doc, id, grace);
    reopenThread(doc, id);
    const [thread] = readThreads(doc);
    deleteMessage(doc, id, thread?.messages[1]?.id ?? '');
    expect([...doc.share.keys()]).toEqual(['comments']);
  });

  test('P3.14 a thread is read back as it was written', () => {
    const { doc, id } = docWithThread();
    addReply(doc, id, { author: grace, text: 'B.' });
    resolveThread(doc, id, grace);
    expect(readThreads(doc)).toMatchObject([
      {
        id,
        quote: 'the cover',
        resolvedBy: 'Grace',
        messages: [
          { author: ada, text: 'Which one?' },
          { author: grace, text: 'B.' },
        ],
      },
    ]);
  });

  test('P3.14 two people who reply at once are both heard', () => {
    const { doc, id } = docWithThread();
    const other = new Y.Doc();
    Y.applyUpdate(other, Y.encodeStateAsUpdate(doc));
    addReply(doc, id, { author: ada, text: 'one' });
    addReply(other, id, { author: grace, text: 'other' });
    Y.applyUpdate(doc, Y.encodeStateAsUpdate(other));
    expect(readThreads(doc)[0]?.messages).toHaveLength(3);
  });

  test('P3.14 the last message takes the thread with it', () => {
    const { doc, id } = docWithThread();
    deleteMessage(doc, id, readThreads(doc)[0]?.messages[0]?.id ?? '');
    expect(readThreads(doc)).toEqual([]);
  });
});

describe('P7.23 what another client wrote is checked before it is shown', () => {
  test('P7.23 entries of another form are left out, the others stay', () => {
    const { doc } = docWithThread();
    const comments = commentsOf(doc) as unknown as Y.Map<unknown>;
    comments.set('text', 'not a thread');
    comments.set('empty', new Y.Map());
    comments.set('no-messages', new Y.Map([['messages', 'none']]));
    comments.set('bad-message', new Y.Map<unknown>([['messages', Y.Array.from([new Y.Map([['text', 3]])])]]));
    expect(readThreads(doc)).toHaveLength(1);
  });
});
