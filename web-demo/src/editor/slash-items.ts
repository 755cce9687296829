import type { ChainedCommands } from '@tiptap/react';
import type { LucideIcon } from 'lucide-react';
import { BLOCKS, TABLE, TEXT_STYLES } from './toolbar-items.ts';

/** A block that "/" at a line's beginning offers. */
export interface SlashItem {
  readonly id: string;
  readonly label: string;
  readonly icon: LucideIcon;
  /** What makes the same block when it is typed. */
  readonly typed: string;
  readonly run: (chain: ChainedCommands) => ChainedCommands;
}

interface Typing {
  readonly typed: string;
  /** Other words for it. */
  readonly words: string;
}

const TYPING: Readonly<Record<string, Typing>> = {
  text: { typed: '', words: 'paragraph plain normal' },
  h1: { typed: '#', words: 'h1 title heading1' },
  h2: { typed: '##', words: 'h2 heading2' },
  h3: { typed: '###', words: 'h3 heading3' },
  bulletList: { typed: '-', words: 'unordered ul' },
  orderedList: { typed: '1.', words: 'ordered ol' },
  taskList: { typed: '[ ]', words: 'todo check checkbox' },
  blockquote: { typed: '>', words: 'blockquote citation' },
  codeBlock: { typed: '```', words: 'pre program' },
  table: { typed: '', words: 'grid rows columns' },
  rule: { typed: '---', words: 'hr line rule separator' },
};

const ITEMS = [...TEXT_STYLES, ...BLOCKS, { ...TABLE, label: 'Table' }].map((item) => {
  const { typed = '', words = '' } = TYPING[item.id] ?? {};
  return { ...item, typed, names: `${item.label} ${words}`.toLowerCase().split(' ') };
});

/** Those of whose names every word of the query begins one. Tables hold no tables. */
export function slashItems({ query, inTable }: { query: string; inTable: boolean }): readonly SlashItem[] {
  const wanted = query.toLowerCase().split(/\s+/).filter(Boolean);
  return ITEMS.filter(
    ({ id, names }) =>
      !(inTable && id === TABLE.id) && wanted.every((word) => names.some((name) => name.startsWith(word))),
  );
}
