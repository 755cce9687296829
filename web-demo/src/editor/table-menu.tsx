import { useEditorState, type Editor } from '@tiptap/react';
import { ChevronDown, Table } from 'lucide-react';
import { DropdownMenu } from 'radix-ui';
import { MenuItem, MenuSeparator } from '../ui/menu.tsx';
import { TABLE_ACTIONS } from './table-actions.ts';
import { changeTable } from './tables.ts';
import { ToolbarMenu } from './toolbar-menu.tsx';

/** Takes the place of "Insert table" in the toolbar while the caret is in one. */
export function TableMenu({ editor }: { editor: Editor }) {
  const trigger = (
    <DropdownMenu.Trigger className="tool tool--menu" aria-label="Table">
      <Table />
      <ChevronDown />
    </DropdownMenu.Trigger>
  );
  return (
    <ToolbarMenu editor={editor} trigger={trigger}>
      <TableMenuItems editor={editor} />
    </ToolbarMenu>
  );
}

function TableMenuItems({ editor }: { editor: Editor }) {
  const possible = useEditorState({
    editor,
    selector: ({ editor: current }) =>
      TABLE_ACTIONS.map((group) => group.map(({ run }) => run(current.can().chain()).run())),
  });
  return TABLE_ACTIONS.map((group, index) => (
    <div key={group[0]?.label} role="group">
      {index > 0 && <MenuSeparator />}
      {group.map(({ label, icon: Icon, danger = false, run }, place) => (
        <MenuItem
          key={label}
          icon={<Icon />}
          danger={danger}
          disabled={possible[index]?.[place] !== true}
          onSelect={() => changeTable(editor, run)}
        >
          {label}
        </MenuItem>
      ))}
    </div>
  ));
}
