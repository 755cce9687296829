import { useState, type FormEvent } from 'react';
import type { DocumentSummary } from '../api/types.ts';
import { useIdentity } from '../identity/identity.tsx';
import { Button } from '../ui/button.tsx';
import { DialogActions, Modal } from '../ui/dialog.tsx';
import type { DocumentDialogProps } from './delete-dialog.tsx';

export const MAX_TITLE_LENGTH = 200;

export function RenameDialog({ document, onClose, onDone }: DocumentDialogProps) {
  const { rest } = useIdentity();
  const [title, setTitle] = useState(document.title);
  const [failure, setFailure] = useState<string>();

  const submit = (event: FormEvent): void => {
    event.preventDefault();
    rename(rest.renameDocument, document, title).then(
      () => {
        onDone();
        onClose();
      },
      (error: Error) => setFailure(error.message),
    );
  };

  return (
    <Modal open title="Rename document" onClose={onClose}>
      <form onSubmit={submit}>
        <label className="field">
          <span>Title</span>
          <input
            dir="auto"
            value={title}
            required
            maxLength={MAX_TITLE_LENGTH}
            data-autofocus
            onFocus={(event) => event.target.select()}
            onChange={(event) => setTitle(event.target.value)}
          />
        </label>
        {failure && (
          <p className="field-error" role="alert">
            {failure}
          </p>
        )}
        <DialogActions>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" variant="primary" disabled={title.trim() === ''}>
            Rename
          </Button>
        </DialogActions>
      </form>
    </Modal>
  );
}

async function rename(
  send: (name: string, title: string) => Promise<void>,
  document: DocumentSummary,
  title: string,
): Promise<void> {
  if (title.trim() !== document.title) await send(document.name, title.trim());
}
