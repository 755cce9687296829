import type { Editor } from '@tiptap/react';
import { ExternalLink, Link2, Unlink } from 'lucide-react';
import { Popover, Toolbar } from 'radix-ui';
import { useState, type FormEvent } from 'react';
import { Button, IconButton } from '../ui/button.tsx';
import { ariaShortcut } from '../ui/shortcut.tsx';
import { Tip } from '../ui/tooltip.tsx';
import { linkAddress } from './link-address.ts';

export interface LinkButtonProps {
  readonly editor: Editor;
  readonly pressed: boolean;
  readonly open: boolean;
  readonly onOpenChange: (open: boolean) => void;
}

export function LinkButton({ editor, pressed, open, onOpenChange }: LinkButtonProps) {
  return (
    <Popover.Root open={open} onOpenChange={onOpenChange}>
      <Tip label="Link" keys="Mod-k">
        <Popover.Trigger asChild>
          <Toolbar.Button
            className="tool"
            aria-label="Link"
            aria-pressed={pressed}
            aria-keyshortcuts={ariaShortcut('Mod-k')}
            onMouseDown={(event) => event.preventDefault()}
          >
            <Link2 />
          </Toolbar.Button>
        </Popover.Trigger>
      </Tip>
      <Popover.Portal>
        <Popover.Content
          className="popover"
          aria-label="Link"
          sideOffset={8}
          collisionPadding={8}
          onCloseAutoFocus={(event) => {
            event.preventDefault();
            editor.commands.focus();
          }}
        >
          <LinkForm editor={editor} onDone={() => onOpenChange(false)} />
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

function LinkForm({ editor, onDone }: { editor: Editor; readonly onDone: () => void }) {
  const [current] = useState(() => String(editor.getAttributes('link')['href'] ?? ''));
  const [input, setInput] = useState(current);
  const [refused, setRefused] = useState(false);

  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const href = linkAddress(input);
    if (href === undefined) return setRefused(true);
    applyLink(editor, { href, text: input.trim() });
    onDone();
  };

  return (
    <form className="link-form" onSubmit={submit}>
      <input
        aria-label="Address"
        placeholder="Paste or type a link"
        inputMode="url"
        autoFocus
        value={input}
        aria-invalid={refused}
        onChange={(event) => {
          setInput(event.target.value);
          setRefused(false);
        }}
      />
      <Button small type="submit" variant="primary">
        Apply
      </Button>
      {current !== '' && (
        <>
          <IconButton label="Open link" onClick={() => window.open(current, '_blank', 'noopener,noreferrer')}>
            <ExternalLink />
          </IconButton>
          <IconButton
            label="Remove link"
            onClick={() => {
              editor.chain().extendMarkRange('link').unsetLink().run();
              onDone();
            }}
          >
            <Unlink />
          </IconButton>
        </>
      )}
      {refused && (
        <p className="field-error" role="alert">
          That is no web or mail address.
        </p>
      )}
    </form>
  );
}

function applyLink(editor: Editor, { href, text }: { href: string; text: string }): void {
  const { from, to } = editor.state.selection;
  const chain = editor.chain().extendMarkRange('link');
  if (editor.state.selection.empty && !editor.isActive('link')) {
    chain.insertContent({ type: 'text', text, marks: [{ type: 'link', attrs: { href } }] }).run();
    return;
  }
  chain.setLink({ href }).setTextSelection({ from, to }).run();
}
