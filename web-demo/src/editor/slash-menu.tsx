import { useEditorState, type Editor } from '@tiptap/react';
import { Popover } from 'radix-ui';
import { useEffect, useMemo, useRef } from 'react';
import {
  changeSlashMenu,
  SLASH_LIST_ID,
  slashMenuOf,
  slashOptionId,
  takeSlashItem,
} from './slash-command.ts';
import type { SlashItem } from './slash-items.ts';

/** The list below the slash. The focus, and with it every key, stays in the text. */
export function SlashMenu({ editor }: { editor: Editor }) {
  const menu = useEditorState({ editor, selector: ({ editor: current }) => slashMenuOf(current.state) });
  const from = menu?.from ?? 0;
  const anchor = useMemo(
    () => ({
      current: {
        getBoundingClientRect: () => rectAt(editor, from),
        // What scrolls around it takes the list along.
        contextElement: editor.view.dom,
      },
    }),
    [editor, from],
  );
  const items = menu?.items ?? [];
  return (
    <Popover.Root open={items.length > 0} onOpenChange={(open) => !open && changeSlashMenu(editor, 'close')}>
      <Popover.Anchor virtualRef={anchor} />
      <Popover.Portal>
        <Popover.Content
          className="menu slash-menu"
          id={SLASH_LIST_ID}
          role="listbox"
          aria-label="Blocks"
          align="start"
          sideOffset={6}
          collisionPadding={8}
          onOpenAutoFocus={(event) => event.preventDefault()}
          onCloseAutoFocus={(event) => event.preventDefault()}
          // Where the caret goes decides it.
          onInteractOutside={(event) => event.preventDefault()}
        >
          {items.map((item, index) => (
            <SlashOption
              key={item.id}
              item={item}
              active={index === menu?.active}
              onPoint={() => index !== menu?.active && changeSlashMenu(editor, { active: index })}
              onTake={() => takeSlashItem(editor, item)}
            />
          ))}
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

interface SlashOptionProps {
  readonly item: SlashItem;
  readonly active: boolean;
  readonly onPoint: () => void;
  readonly onTake: () => void;
}

function SlashOption({ item, active, onPoint, onTake }: SlashOptionProps) {
  const { label, icon: Icon, typed } = item;
  const option = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (active) option.current?.scrollIntoView({ block: 'nearest' });
  }, [active]);
  return (
    <div
      ref={option}
      id={slashOptionId(item)}
      role="option"
      aria-selected={active}
      className="menu__item"
      data-highlighted={active ? '' : undefined}
      // The list may come up below a pointer that rests.
      onPointerMove={onPoint}
      onMouseDown={(event) => event.preventDefault()}
      onClick={onTake}
    >
      <Icon />
      {label}
      {typed !== '' && (
        <kbd className="shortcut" aria-hidden="true">
          {typed}
        </kbd>
      )}
    </div>
  );
}

function rectAt(editor: Editor, position: number): DOMRect {
  const { left, top, bottom } = editor.view.coordsAtPos(Math.min(position, editor.state.doc.content.size));
  return new DOMRect(left, top, 0, bottom - top);
}
