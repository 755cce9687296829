import { Confirmation } from '../ui/dialog.tsx';

export interface OwnAccessDialogProps {
  readonly onConfirm: () => void;
  readonly onClose: () => void;
}

/** What an owner does to others they can take back. What they do to themselves they may not be able to. */
export function OwnAccessDialog(props: OwnAccessDialogProps) {
  return (
    <Confirmation
      {...props}
      title="Change your own access?"
      description="You may lose this document, or no longer decide who has it. Only another owner can then give that back to you."
      action="Change my access"
    />
  );
}
