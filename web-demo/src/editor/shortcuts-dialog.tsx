import { useEffect } from 'react';
import { Modal } from '../ui/dialog.tsx';
import { Shortcut } from '../ui/shortcut.tsx';
import { BLOCKS, MARKS, TEXT_STYLES } from './toolbar-items.ts';

interface Entry {
  readonly label: string;
  readonly keys: string;
}

export const SHORTCUTS_KEYS = 'Mod-/';

const GROUPS: readonly { readonly title: string; readonly entries: readonly Entry[] }[] = [
  {
    title: 'Writing',
    entries: [
      { label: 'Blocks, on a new line', keys: '/' },
      { label: 'Undo', keys: 'Mod-z' },
      { label: 'Redo', keys: 'Mod-Shift-z' },
      { label: 'Line break', keys: 'Shift-Enter' },
      { label: 'Next cell, deeper in a list', keys: 'Tab' },
      { label: 'Previous cell, out of a list', keys: 'Shift-Tab' },
      { label: 'Comment', keys: 'Mod-Alt-m' },
      { label: 'These shortcuts', keys: SHORTCUTS_KEYS },
    ],
  },
  { title: 'Letters', entries: [...withKeys(MARKS), { label: 'Link', keys: 'Mod-k' }] },
  { title: 'Blocks', entries: [...TEXT_STYLES, ...withKeys(BLOCKS)] },
];

function withKeys(items: readonly { readonly label: string; readonly keys?: string }[]): readonly Entry[] {
  return items.flatMap(({ label, keys }) => (keys === undefined ? [] : [{ label, keys }]));
}

export interface ShortcutsDialogProps {
  readonly open: boolean;
  readonly onOpenChange: (open: boolean) => void;
}

/** What the keyboard can do, from anywhere in the document. */
export function ShortcutsDialog({ open, onOpenChange }: ShortcutsDialogProps) {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.key !== '/' || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      onOpenChange(true);
    };
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  }, [onOpenChange]);

  return (
    <Modal open={open} title="Keyboard shortcuts" wide onClose={() => onOpenChange(false)}>
      <div className="shortcuts">
        {GROUPS.map(({ title, entries }) => (
          <section key={title} className="shortcuts__group">
            <h3>{title}</h3>
            <ul>
              {entries.map(({ label, keys }) => (
                <li key={label}>
                  {label}
                  <Shortcut keys={keys} />
                </li>
              ))}
            </ul>
          </section>
        ))}
      </div>
    </Modal>
  );
}
