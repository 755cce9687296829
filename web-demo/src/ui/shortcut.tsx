const APPLE = /Mac|iPhone|iPad/.test(navigator.userAgent);
const SYMBOLS: Record<string, string> = APPLE
  ? { Mod: '⌘', Shift: '⇧', Alt: '⌥' }
  : { Mod: 'Ctrl', Shift: 'Shift', Alt: 'Alt' };

/** `Mod-Shift-x` as the keys of this machine. */
export function Shortcut({ keys }: { keys: string }) {
  const labels = keys.split('-').map((key) => SYMBOLS[key] ?? (key.length === 1 ? key.toUpperCase() : key));
  return <kbd className="shortcut">{labels.join(APPLE ? '' : '+')}</kbd>;
}

/** The form of `aria-keyshortcuts`. */
export function ariaShortcut(keys: string | undefined): string | undefined {
  return keys?.replaceAll('-', '+').replace('Mod', APPLE ? 'Meta' : 'Control');
}
