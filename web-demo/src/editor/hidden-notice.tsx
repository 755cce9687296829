import { useState } from 'react';
import { Button } from '../ui/button.tsx';
import { Confirmation } from '../ui/dialog.tsx';

/** @param props.onRemove for whoever may change the text */
export function HiddenNotice({ onRemove }: { readonly onRemove: (() => void) | undefined }) {
  const [asking, setAsking] = useState(false);
  return (
    <div className="notice notice--hidden" role="status">
      <p>
        Another program wrote something into this text that this editor cannot show. It is kept; the rest can
        be read here, but not changed.
      </p>
      {onRemove && (
        <>
          <Button small onClick={() => setAsking(true)}>
            Remove it…
          </Button>
          <Confirmation
            open={asking}
            title="Remove what cannot be shown?"
            description="It will be gone for everybody, also for the program that wrote it. What you can read here stays."
            action="Remove"
            onConfirm={onRemove}
            onClose={() => setAsking(false)}
          />
        </>
      )}
    </div>
  );
}
