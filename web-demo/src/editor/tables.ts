import { type CommandProps, type Editor, type Extensions } from '@tiptap/core';
import { Table, TableCell, TableHeader, TableRow } from '@tiptap/extension-table';
import type { Attrs } from '@tiptap/pm/model';
import { Plugin } from '@tiptap/pm/state';
import { fixTables } from '@tiptap/pm/tables';
import type { ChainedCommands } from '@tiptap/react';
import { isFromOthers } from '../comments/anchors.ts';

/**
 * Two people who add a row and a column at once leave rows of different lengths. Were every screen to mend them as
 * they arrive, each would add the missing cells, all would get those of all, and mend the rows that are too short
 * now, without an end. So only somebody's own next edit of that table mends it.
 */
const SharedTable = Table.extend({
  addProseMirrorPlugins() {
    return (this.parent?.() ?? []).map((plugin) => {
      const { appendTransaction } = plugin.spec;
      if (!appendTransaction) return plugin;
      return new Plugin({
        ...plugin.spec,
        appendTransaction: (transactions, before, state) =>
          transactions.some(isFromOthers)
            ? null
            : appendTransaction.call(plugin, transactions, before, state),
      });
    });
  },
  // A table that is wider than the page scrolls in a frame of its own.
  renderHTML({ HTMLAttributes }) {
    return ['div', { class: 'table-frame' }, ['table', HTMLAttributes, ['tbody', 0]]];
  },
});

/** HTML's own bounds: a grid with a cell of millions is computed and mended place by place. */
const MAX_COLSPAN = 1_000;
const MAX_ROWSPAN = 65_534;

const SPANS = {
  colspan: { default: 1, parseHTML: ({ colSpan }: HTMLTableCellElement) => spanOf(colSpan, MAX_COLSPAN) },
  rowspan: { default: 1, parseHTML: ({ rowSpan }: HTMLTableCellElement) => spanOf(rowSpan, MAX_ROWSPAN) },
};

const Cell = TableCell.extend({
  addAttributes() {
    return { ...this.parent?.(), ...SPANS };
  },
});
const HeaderCell = TableHeader.extend({
  addAttributes() {
    return { ...this.parent?.(), ...SPANS };
  },
});

export const tables: Extensions = [SharedTable.configure({ View: null }), TableRow, HeaderCell, Cell];

/** Attributes of a cell as they can be shown; other programs write anything there. */
export function cellAttributes(attrs: Attrs): Attrs {
  const { colspan, rowspan, colwidth } = attrs;
  return {
    ...attrs,
    colspan: spanOf(colspan, MAX_COLSPAN),
    rowspan: spanOf(rowspan, MAX_ROWSPAN),
    colwidth: Array.isArray(colwidth) && colwidth.every(Number.isFinite) ? colwidth : null,
  };
}

function spanOf(value: unknown, max: number): number {
  const span = Number(value);
  return Number.isInteger(span) && span >= 1 ? Math.min(span, max) : 1;
}

/** A table with a line below it to go on at. */
export function insertTable(chain: ChainedCommands): ChainedCommands {
  return chain.insertTable({ rows: 3, cols: 3, withHeaderRow: true }).command(lineBelow);
}

function lineBelow({ tr, state }: CommandProps): boolean {
  const { $from } = tr.selection;
  for (let depth = $from.depth; depth > 0; depth--) {
    if ($from.node(depth).type.name !== 'table') continue;
    const below = $from.after(depth);
    const paragraph = state.schema.nodes['paragraph']?.create();
    if (paragraph && !tr.doc.resolve(below).nodeAfter) tr.insert(below, paragraph);
    return true;
  }
  return true;
}

/** Rows and columns can be counted only where all rows are of one length. */
export function changeTable(editor: Editor, change: (chain: ChainedCommands) => ChainedCommands): void {
  const mended = fixTables(editor.state);
  if (mended) editor.view.dispatch(mended);
  change(editor.chain().focus()).run();
}
