import { useEditorState, type Editor } from '@tiptap/react';
import {
  ChevronDown,
  ClipboardCopy,
  Keyboard,
  MessageSquarePlus,
  Redo2,
  Undo2,
  type LucideIcon,
} from 'lucide-react';
import { DropdownMenu, Toolbar } from 'radix-ui';
import { memo } from 'react';
import { copyText } from '../ui/clipboard.ts';
import { ariaShortcut, Shortcut } from '../ui/shortcut.tsx';
import { useToast } from '../ui/toast.tsx';
import { Tip } from '../ui/tooltip.tsx';
import { LinkButton } from './link-button.tsx';
import { markdownOf } from './markdown.ts';
import { SHORTCUTS_KEYS } from './shortcuts-dialog.tsx';
import { TableMenu } from './table-menu.tsx';
import { ToolbarMenu } from './toolbar-menu.tsx';
import { BLOCKS, MARKS, TABLE, TEXT_STYLES, toolbarState, type ToolbarItem } from './toolbar-items.ts';

export interface EditorToolbarProps {
  readonly editor: Editor;
  /** The text may be changed. */
  readonly writable: boolean;
  readonly commentable: boolean;
  readonly linkOpen: boolean;
  readonly onLinkOpenChange: (open: boolean) => void;
  readonly onComment: () => void;
  readonly onShortcuts: () => void;
}

/** One tab stop; the arrow keys move inside. Two dozen buttons: not rendered again because a keystroke was saved. */
export const EditorToolbar = memo(function EditorToolbar(props: EditorToolbarProps) {
  const { editor, writable, commentable, linkOpen, onLinkOpenChange, onComment, onShortcuts } = props;
  const { pressed, style, inTable, canUndo, canRedo } = useEditorState({
    editor,
    selector: ({ editor: current }) => toolbarState(current),
  });
  const commentButton = (
    <ToolButton
      label="Add comment"
      icon={MessageSquarePlus}
      keys="Mod-Alt-m"
      disabled={!commentable}
      onPress={onComment}
    />
  );
  // Whoever may do nothing here is told so by the status.
  if (!writable && !commentable) return null;
  if (!writable) {
    return (
      <div className="toolbar-frame">
        <Toolbar.Root className="toolbar" aria-label="Formatting">
          <p className="toolbar__note">You can comment on this document</p>
          {commentButton}
        </Toolbar.Root>
      </div>
    );
  }

  const item = ({ id, label, icon, keys, active, run }: ToolbarItem) => (
    <ToolButton
      key={id}
      label={label}
      icon={icon}
      keys={keys}
      pressed={active === undefined ? undefined : pressed.includes(id)}
      onPress={() => run(editor.chain().focus()).run()}
    />
  );

  return (
    <div className="toolbar-frame">
      <Toolbar.Root className="toolbar" aria-label="Formatting" loop>
        <div className="toolbar__group">
          <ToolButton
            label="Undo"
            icon={Undo2}
            keys="Mod-z"
            disabled={!canUndo}
            onPress={() => editor.chain().focus().undo().run()}
          />
          <ToolButton
            label="Redo"
            icon={Redo2}
            keys="Mod-Shift-z"
            disabled={!canRedo}
            onPress={() => editor.chain().focus().redo().run()}
          />
        </div>
        <Toolbar.Separator className="toolbar__separator" />
        <StyleMenu editor={editor} style={style} />
        <Toolbar.Separator className="toolbar__separator" />
        <div className="toolbar__group">
          {MARKS.map(item)}
          <LinkButton
            editor={editor}
            pressed={pressed.includes('link')}
            open={linkOpen}
            onOpenChange={onLinkOpenChange}
          />
        </div>
        <Toolbar.Separator className="toolbar__separator" />
        <div className="toolbar__group">
          {BLOCKS.map(item)}
          {inTable ? <TableMenu editor={editor} /> : item(TABLE)}
        </div>
        <Toolbar.Separator className="toolbar__separator" />
        <div className="toolbar__group">
          {commentButton}
          <CopyMarkdownButton editor={editor} />
          <ToolButton
            label="Keyboard shortcuts"
            icon={Keyboard}
            keys={SHORTCUTS_KEYS}
            onPress={onShortcuts}
          />
        </div>
      </Toolbar.Root>
    </div>
  );
});

function CopyMarkdownButton({ editor }: { editor: Editor }) {
  const toast = useToast();
  const copy = (): void => {
    copyText(markdownOf(editor.state.doc)).then(
      () => toast('Copied as Markdown'),
      () => toast('The browser does not allow copying.', { tone: 'danger' }),
    );
  };
  return <ToolButton label="Copy as Markdown" icon={ClipboardCopy} onPress={copy} />;
}

interface ToolButtonProps {
  readonly label: string;
  readonly icon: LucideIcon;
  readonly keys?: string | undefined;
  readonly pressed?: boolean | undefined;
  readonly disabled?: boolean;
  readonly onPress: () => void;
}

function ToolButton({ label, icon: Icon, keys, pressed, disabled = false, onPress }: ToolButtonProps) {
  return (
    <Tip label={label} keys={keys}>
      <Toolbar.Button
        className="tool"
        aria-label={label}
        aria-pressed={pressed}
        aria-keyshortcuts={ariaShortcut(keys)}
        disabled={disabled}
        // The selection in the text must survive the click.
        onMouseDown={(event) => event.preventDefault()}
        onClick={onPress}
      >
        <Icon />
      </Toolbar.Button>
    </Tip>
  );
}

function StyleMenu({ editor, style }: { editor: Editor; style: string }) {
  const current = TEXT_STYLES.find(({ id }) => id === style)?.label ?? 'Text';
  const trigger = (
    <DropdownMenu.Trigger className="tool tool--wide" aria-label={`Text style: ${current}`}>
      <span className="tool__value">{current}</span>
      <ChevronDown />
    </DropdownMenu.Trigger>
  );
  return (
    <ToolbarMenu editor={editor} trigger={trigger}>
      <DropdownMenu.RadioGroup value={style} aria-label="Text style">
        {TEXT_STYLES.map(({ id, label, icon: Icon, keys, run }) => (
          <DropdownMenu.RadioItem
            key={id}
            value={id}
            className="menu__item"
            onSelect={() => run(editor.chain()).run()}
          >
            <Icon />
            <span className={`style-sample style-sample--${id}`}>{label}</span>
            <Shortcut keys={keys} />
          </DropdownMenu.RadioItem>
        ))}
      </DropdownMenu.RadioGroup>
    </ToolbarMenu>
  );
}
