import { useState, type FormEvent, type KeyboardEvent } from 'react';
import { Button } from '../ui/button.tsx';
import { isComposing } from '../ui/composing.ts';
import { MAX_COMMENT_LENGTH } from './threads.ts';

export interface ComposerProps {
  readonly label: string;
  readonly submitLabel: string;
  readonly autoFocus?: boolean;
  readonly onSubmit: (text: string) => void;
  readonly onCancel?: () => void;
}

export function Composer({ label, submitLabel, autoFocus = false, onSubmit, onCancel }: ComposerProps) {
  const [text, setText] = useState('');

  const submit = (event?: FormEvent): void => {
    event?.preventDefault();
    if (text.trim() === '') return;
    onSubmit(text.trim());
    setText('');
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (isComposing(event.nativeEvent)) return;
    if (event.key === 'Enter' && (event.metaKey || event.ctrlKey)) submit();
    if (event.key === 'Escape' && onCancel) {
      event.stopPropagation();
      onCancel();
    }
  };

  return (
    <form className="composer" onSubmit={submit}>
      <textarea
        dir="auto"
        aria-label={label}
        placeholder={label}
        rows={1}
        maxLength={MAX_COMMENT_LENGTH}
        autoFocus={autoFocus}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={onKeyDown}
      />
      <div className="composer__actions">
        {onCancel && (
          <Button small variant="ghost" onClick={onCancel}>
            Cancel
          </Button>
        )}
        <Button small type="submit" variant="primary" disabled={text.trim() === ''}>
          {submitLabel}
        </Button>
      </div>
    </form>
  );
}
