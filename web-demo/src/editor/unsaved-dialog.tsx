import { Copy } from 'lucide-react';
import type { UnsavedText } from '../session/use-document.ts';
import { Button } from '../ui/button.tsx';
import { copyText } from '../ui/clipboard.ts';
import { DialogActions, Modal } from '../ui/dialog.tsx';
import { useToast } from '../ui/toast.tsx';

/** What the server refused is not lost: it stays here until it has been copied or given up. */
export function UnsavedDialog({ unsaved, onClose }: { unsaved: UnsavedText; readonly onClose: () => void }) {
  const toast = useToast();
  const text = unsaved.blocks.join('\n\n');
  const copy = (): void => {
    copyText(text).then(
      () => toast('Copied'),
      () => toast('The browser does not allow copying: select the text instead.', { tone: 'danger' }),
    );
  };
  return (
    <Modal
      open
      wide
      title="Your unsaved text"
      description={`${unsaved.reason} These paragraphs of yours were not saved. Copy what you want to keep.`}
      onClose={onClose}
    >
      <textarea
        className="unsaved-text"
        aria-label="Unsaved text"
        readOnly
        rows={8}
        value={text}
        onFocus={(event) => event.target.select()}
      />
      <DialogActions>
        <Button onClick={onClose}>Discard</Button>
        <Button variant="primary" onClick={copy}>
          <Copy />
          Copy text
        </Button>
      </DialogActions>
    </Modal>
  );
}
