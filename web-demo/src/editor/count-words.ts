const words = new Intl.Segmenter(undefined, { granularity: 'word' });

/** Words as the reader's language has them, also where no spaces stand between them. */
export function countWords(text: string): number {
  let count = 0;
  for (const { isWordLike } of words.segment(text)) if (isWordLike) count++;
  return count;
}
