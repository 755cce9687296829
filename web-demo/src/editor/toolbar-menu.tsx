import type { Editor } from '@tiptap/react';
import { DropdownMenu, Toolbar } from 'radix-ui';
import type { ReactElement, ReactNode } from 'react';

export interface ToolbarMenuProps {
  readonly editor: Editor;
  /** A `DropdownMenu.Trigger`. */
  readonly trigger: ReactElement;
  readonly children: ReactNode;
}

/** A menu of the toolbar. When it closes one writes on. */
export function ToolbarMenu({ editor, trigger, children }: ToolbarMenuProps) {
  return (
    <DropdownMenu.Root modal={false}>
      <Toolbar.Button asChild>{trigger}</Toolbar.Button>
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
          {children}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}
