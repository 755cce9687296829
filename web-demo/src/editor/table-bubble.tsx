import { findParentNode } from '@tiptap/core';
import type { Editor } from '@tiptap/react';
import { BubbleMenu, type BubbleMenuProps } from '@tiptap/react/menus';
import { IconButton } from '../ui/button.tsx';
import { QUICK_TABLE_ACTIONS } from './table-actions.ts';
import { changeTable } from './tables.ts';

/** In the margin, where nothing is written; above the table where there is none. */
const PLACE = {
  placement: 'right-start',
  offset: 4,
  flip: { fallbackPlacements: ['top-end', 'bottom-end'] },
} satisfies BubbleMenuProps['options'];

/** Rows and columns where they are wanted: at the table. The toolbar has everything else. */
export function TableBubble({ editor }: { editor: Editor }) {
  return (
    <BubbleMenu
      editor={editor}
      pluginKey="tableBubble"
      className="bubble table-bubble"
      role="group"
      aria-label="Rows and columns"
      options={PLACE}
      updateDelay={0}
      getReferencedVirtualElement={() => tableAtCaret(editor)}
      shouldShow={({ editor: current }) => current.isEditable && current.isActive('table')}
    >
      {QUICK_TABLE_ACTIONS.map(({ label, icon: Icon, run }) => (
        <IconButton
          key={label}
          label={label}
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => changeTable(editor, run)}
        >
          <Icon />
        </IconButton>
      ))}
    </BubbleMenu>
  );
}

function tableAtCaret({ state, view }: Editor): Element | null {
  const table = findParentNode(({ type }) => type.name === 'table')(state.selection);
  const frame = table && view.nodeDOM(table.pos);
  return frame instanceof Element ? frame : null;
}
