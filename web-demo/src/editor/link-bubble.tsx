import { useEditorState, type Editor } from '@tiptap/react';
import { BubbleMenu } from '@tiptap/react/menus';
import { Copy, Pencil, Unlink } from 'lucide-react';
import { IconButton } from '../ui/button.tsx';
import { copyText } from '../ui/clipboard.ts';
import { useToast } from '../ui/toast.tsx';
import { linkAddress } from './link-address.ts';

/** Where the link at the caret leads, and what can be done with it. Whoever may not write just follows it. */
export function LinkBubble({ editor, onEdit }: { editor: Editor; readonly onEdit: () => void }) {
  const toast = useToast();
  const href = useEditorState({
    editor,
    selector: ({ editor: current }) => String(current.getAttributes('link')['href'] ?? ''),
  });
  const copy = (): void => {
    copyText(href).then(
      () => toast('Link copied'),
      () => toast('The browser does not allow copying.', { tone: 'danger' }),
    );
  };
  return (
    <BubbleMenu
      editor={editor}
      pluginKey="linkBubble"
      className="bubble link-bubble"
      options={{ placement: 'bottom-start', offset: 8 }}
      shouldShow={({ state, editor: current }) =>
        current.isEditable && state.selection.empty && current.isActive('link')
      }
    >
      <a
        className="link-bubble__address"
        href={linkAddress(href)}
        target="_blank"
        rel="noopener noreferrer nofollow"
      >
        {href.replace(/^(https?:\/\/|mailto:)/, '')}
      </a>
      <IconButton label="Copy link" onClick={copy}>
        <Copy />
      </IconButton>
      <IconButton label="Edit link" onClick={onEdit}>
        <Pencil />
      </IconButton>
      <IconButton
        label="Remove link"
        onClick={() => editor.chain().focus().extendMarkRange('link').unsetLink().run()}
      >
        <Unlink />
      </IconButton>
    </BubbleMenu>
  );
}
