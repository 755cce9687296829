import { useState, type KeyboardEvent } from 'react';
import { UNTITLED } from '../start/new-document.ts';
import { MAX_TITLE_LENGTH } from '../start/rename-dialog.tsx';
import { isComposing } from '../ui/composing.ts';

export interface TitleFieldProps {
  readonly title: string;
  readonly editable: boolean;
  readonly onRename: (title: string) => void;
  readonly onEntered?: (() => void) | undefined;
}

export function TitleField({ title, editable, onRename, onEntered }: TitleFieldProps) {
  const [draft, setDraft] = useState<string>();
  if (!editable)
    return (
      <h1 className="title-field title-field--fixed" dir="auto">
        {title}
      </h1>
    );

  const commit = (): void => {
    const next = draft?.trim();
    setDraft(undefined);
    if (next && next !== title) onRename(next);
  };
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>): void => {
    if (isComposing(event.nativeEvent)) return;
    if (event.key === 'Enter') {
      event.preventDefault();
      event.currentTarget.blur();
      onEntered?.();
    }
    if (event.key === 'Escape') setDraft(undefined);
  };

  return (
    <input
      className="title-field"
      dir="auto"
      aria-label="Document title"
      maxLength={MAX_TITLE_LENGTH}
      value={draft ?? title}
      onChange={(event) => setDraft(event.target.value)}
      onFocus={(event) => title === UNTITLED && event.target.select()}
      onBlur={commit}
      onKeyDown={onKeyDown}
    />
  );
}
