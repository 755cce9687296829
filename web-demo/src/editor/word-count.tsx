import { type Editor } from '@tiptap/react';
import { useEffect, useState } from 'react';
import { countWords } from './count-words.ts';

/** Counting a long document takes longer than a keystroke may: it waits for a pause. */
const PAUSE_MS = 400;

export function WordCount({ editor }: { editor: Editor }) {
  const [words, setWords] = useState(() => wordsOf(editor));
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const count = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => setWords(wordsOf(editor)), PAUSE_MS);
    };
    count();
    editor.on('update', count);
    return () => {
      clearTimeout(timer);
      editor.off('update', count);
    };
  }, [editor]);
  return (
    <p className="word-count">
      {words.toLocaleString('en')} {words === 1 ? 'word' : 'words'}
    </p>
  );
}

function wordsOf(editor: Editor): number {
  const { doc } = editor.state;
  return countWords(doc.textBetween(0, doc.content.size, ' ', ' '));
}
