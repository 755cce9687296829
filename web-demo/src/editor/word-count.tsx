import { type Editor } from '@tiptap/react';
import { useEffect, useState } from 'react';
import { countWords } from './count-words.ts';

/** Counting a long document takes longer than a keystroke may: it waits for a pause, though not for ever. */
const PAUSE_MS = 400;
const PATIENCE_MS = 3_000;

export function WordCount({ editor }: { editor: Editor }) {
  const [words, setWords] = useState(() => wordsOf(editor));
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let due: number | undefined;
    const count = (): void => {
      due = undefined;
      setWords(wordsOf(editor));
    };
    const countSoon = (): void => {
      const now = Date.now();
      due ??= now + PATIENCE_MS;
      clearTimeout(timer);
      timer = setTimeout(count, Math.max(0, Math.min(PAUSE_MS, due - now)));
    };
    countSoon();
    editor.on('update', countSoon);
    return () => {
      clearTimeout(timer);
      editor.off('update', countSoon);
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
