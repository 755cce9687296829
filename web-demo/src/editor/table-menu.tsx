import { useEditorState, type Editor } from '@tiptap/react';
import { ChevronDown, Table } from 'lucide-react';
import { DropdownMenu, Toolbar } from 'radix-ui';
import { MenuItem, MenuSeparator } from '../ui/menu.tsx';
import { TABLE_ACTIONS } from './table-actions.ts';
import { changeTable } from './tables.ts';

/** Takes the place of "Insert table" in the toolbar while the caret is in one. */
export function TableMenu({ editor }: { editor: Editor }) {
  return (
    <DropdownMenu.Root modal={false}>
      <Toolbar.Button asChild>
        <DropdownMenu.Trigger className="tool tool--menu" aria-label="Table">
          <Table />
          <ChevronDown />
        </DropdownMenu.Trigger>
      </Toolbar.Button>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          className="menu"
          align="start"
          sideOffset={6}
          collisionPadding={8}
          onCloseAutoFocus={(event) => {
            event.preventDefault();
            editor.commands.focus();
          }}
        >
          <TableMenuItems editor={editor} />
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
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
