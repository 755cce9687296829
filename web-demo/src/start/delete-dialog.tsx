import { useState } from 'react';
import type { DocumentSummary } from '../api/types.ts';
import { useIdentity } from '../identity/identity.tsx';
import { forgetLocalCopy, localCopyName } from '../session/local-copy.ts';
import { Button } from '../ui/button.tsx';
import { DialogActions, Modal } from '../ui/dialog.tsx';

export interface DocumentDialogProps {
  readonly document: DocumentSummary;
  readonly onClose: () => void;
  readonly onDone: () => void;
}

export function DeleteDialog({ document, onClose, onDone }: DocumentDialogProps) {
  const { rest, person } = useIdentity();
  const [failure, setFailure] = useState<string>();
  const [busy, setBusy] = useState(false);

  const remove = async (): Promise<void> => {
    setBusy(true);
    try {
      await rest.deleteDocument(document.name);
      // Left behind, it would bring the deleted text back into a new document of the same name.
      await forgetLocalCopy(localCopyName(person.sub, document.name));
      onDone();
      onClose();
    } catch (error) {
      setBusy(false);
      setFailure((error as Error).message);
    }
  };

  return (
    <Modal
      open
      title="Delete document?"
      description={`“${document.title}” and its history will be gone for everybody. This cannot be undone.`}
      onClose={onClose}
    >
      {failure && (
        <p className="field-error" role="alert">
          {failure}
        </p>
      )}
      <DialogActions>
        <Button onClick={onClose} data-autofocus>
          Cancel
        </Button>
        <Button variant="danger" disabled={busy} onClick={() => void remove()}>
          Delete
        </Button>
      </DialogActions>
    </Modal>
  );
}
