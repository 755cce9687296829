import { Extension } from '@tiptap/core';
import { Plugin, PluginKey, type EditorState, type Transaction } from '@tiptap/pm/state';
import { Decoration, DecorationSet } from '@tiptap/pm/view';
import { isFromOthers, rangeOf, type Range } from './anchors.ts';
import type { Anchor, Thread } from './threads.ts';

/** What is highlighted: the open threads, the chosen one, and the place of a comment being written. */
export interface Highlighted {
  readonly threads: readonly Thread[];
  readonly active: string | undefined;
  readonly draft: Anchor | undefined;
}

interface HighlightState extends Highlighted {
  /** Where each thread is now; threads whose text has gone are missing. */
  readonly ranges: ReadonlyMap<string, Range>;
  readonly decorations: DecorationSet;
}

const highlightsKey = new PluginKey<HighlightState>('comment-highlights');

export interface HighlightOptions {
  readonly onThreadClick: (threadId: string) => void;
}

export const CommentHighlights = Extension.create<HighlightOptions>({
  name: 'commentHighlights',

  addOptions() {
    return { onThreadClick: () => undefined };
  },

  addProseMirrorPlugins() {
    const { onThreadClick } = this.options;
    return [
      new Plugin<HighlightState>({
        key: highlightsKey,
        state: {
          init: (_config, state) => resolve(state, { threads: [], active: undefined, draft: undefined }),
          apply: (transaction, value, _before, state) => {
            const next = transaction.getMeta(highlightsKey) as Highlighted | undefined;
            if (next) return resolve(state, next);
            if (!transaction.docChanged) return value;
            // A change of others replaces the whole document: mapping would lose every place.
            return isFromOthers(transaction) ? resolve(state, value) : mapped(value, transaction);
          },
        },
        props: {
          decorations: (state) => highlightsKey.getState(state)?.decorations,
          handleClick: (view, position) => {
            const id = threadAt(view.state, position);
            if (id !== undefined) onThreadClick(id);
            return false;
          },
        },
      }),
    ];
  },
});

export function highlight(state: EditorState, highlighted: Highlighted): Transaction {
  return state.tr.setMeta(highlightsKey, highlighted).setMeta('addToHistory', false);
}

export function threadRanges(state: EditorState): ReadonlyMap<string, Range> {
  return highlightsKey.getState(state)?.ranges ?? new Map<string, Range>();
}

function threadAt(state: EditorState, position: number): string | undefined {
  let closest: { id: string; length: number } | undefined;
  for (const [id, { from, to }] of threadRanges(state)) {
    if (position < from || position > to) continue;
    if (!closest || to - from < closest.length) closest = { id, length: to - from };
  }
  return closest?.id;
}

function resolve(state: EditorState, { threads, active, draft }: Highlighted): HighlightState {
  const ranges = new Map<string, Range>();
  for (const { id, anchor } of threads) {
    const range = anchor && rangeOf(state, anchor);
    if (range) ranges.set(id, range);
  }
  const decorations = [...ranges].map(([id, { from, to }]) =>
    Decoration.inline(from, to, {
      class: id === active ? 'comment-mark comment-mark--active' : 'comment-mark',
      'data-thread': id,
    }),
  );
  const draftRange = draft && rangeOf(state, draft);
  if (draftRange) {
    decorations.push(
      Decoration.inline(draftRange.from, draftRange.to, { class: 'comment-mark comment-mark--active' }),
    );
  }
  return { threads, active, draft, ranges, decorations: DecorationSet.create(state.doc, decorations) };
}

function mapped(value: HighlightState, { mapping, doc }: Transaction): HighlightState {
  const ranges = new Map<string, Range>();
  for (const [id, { from, to }] of value.ranges) {
    const range = { from: mapping.map(from, 1), to: mapping.map(to, -1) };
    if (range.from < range.to) ranges.set(id, range);
  }
  return { ...value, ranges, decorations: value.decorations.map(mapping, doc) };
}
