import { Button } from '../ui/button.tsx';
import { DialogActions, Modal } from '../ui/dialog.tsx';

export interface OwnAccessDialogProps {
  readonly onConfirm: () => void;
  readonly onClose: () => void;
}

/** What an owner does to others they can take back. What they do to themselves they may not be able to. */
export function OwnAccessDialog({ onConfirm, onClose }: OwnAccessDialogProps) {
  return (
    <Modal
      open
      title="Change your own access?"
      description="You may lose this document, or no longer decide who has it. Only another owner can then give that back to you."
      onClose={onClose}
    >
      <DialogActions>
        <Button onClick={onClose} data-autofocus>
          Cancel
        </Button>
        <Button
          variant="danger"
          onClick={() => {
            onConfirm();
            onClose();
          }}
        >
          Change my access
        </Button>
      </DialogActions>
    </Modal>
  );
}
