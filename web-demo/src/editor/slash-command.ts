import { Extension, type Editor } from '@tiptap/core';
import { Plugin, PluginKey, type EditorState } from '@tiptap/pm/state';
import { isInTable } from '@tiptap/pm/tables';
import { isFromOthers, type Range } from '../comments/anchors.ts';
import { slashItems, type SlashItem } from './slash-items.ts';

/** The menu while it is open, and the place of the slash with what was typed behind it. */
export interface SlashMenuState extends Range {
  readonly query: string;
  readonly items: readonly SlashItem[];
  /** Index of the item that Enter would take. */
  readonly active: number;
}

type SlashChange = { readonly active: number } | 'close';

const slashKey = new PluginKey<SlashMenuState | undefined>('slashMenu');

export const SLASH_LIST_ID = 'slash-menu';
export const slashOptionId = (item: SlashItem): string => `slash-menu-${item.id}`;

export const slashMenuOf = (state: EditorState): SlashMenuState | undefined => slashKey.getState(state);

export function changeSlashMenu(editor: Editor, change: SlashChange): void {
  editor.view.dispatch(editor.state.tr.setMeta(slashKey, change));
}

/** Puts the block in the place of the slash and of what was typed to find it. */
export function takeSlashItem(editor: Editor, item: SlashItem): void {
  const menu = slashMenuOf(editor.state);
  if (menu) item.run(editor.chain().focus().deleteRange(menu)).run();
}

/** "/" at the beginning of a line opens a menu of blocks, for whoever may write and has just typed it. */
export const SlashCommand = Extension.create({
  name: 'slashCommand',
  // Its keys come before those of lists and tables.
  priority: 1_000,
  addProseMirrorPlugins() {
    const { editor } = this;
    return [
      new Plugin<SlashMenuState | undefined>({
        key: slashKey,
        state: {
          init: () => undefined,
          apply(transaction, open, before, state) {
            const change = transaction.getMeta(slashKey) as SlashChange | undefined;
            if (change === 'close' || !editor.isEditable) return undefined;
            if (change) return open && { ...open, active: change.active };
            const slash = slashAt(state);
            if (!slash) return undefined;
            const items = slashItems({ query: slash.query, inTable: isInTable(state) });
            if (open) return { ...slash, items, active: slash.query === open.query ? open.active : 0 };
            // Not for a caret that only comes by, nor for what somebody else types.
            const isNew = transaction.docChanged && !isFromOthers(transaction) && !slashAt(before);
            return isNew ? { ...slash, items, active: 0 } : undefined;
          },
        },
        props: {
          // The focus stays in the text; the option that Enter would take is named by it.
          attributes(state): Record<string, string> {
            const menu = slashMenuOf(state);
            const active = menu?.items[menu.active];
            return active
              ? { 'aria-controls': SLASH_LIST_ID, 'aria-activedescendant': slashOptionId(active) }
              : {};
          },
          handleKeyDown: (_view, event) => handleKey(editor, event),
          handleDOMEvents: {
            blur: () => {
              if (slashMenuOf(editor.state)) changeSlashMenu(editor, 'close');
            },
          },
        },
      }),
    ];
  },
});

const SLASH = /^\/([^/]{0,24})$/;

function slashAt({ selection }: EditorState): (Range & { readonly query: string }) | undefined {
  const { $from, empty } = selection;
  const { parent } = $from;
  if (!empty || !parent.isTextblock || parent.type.spec.code === true) return undefined;
  const [, query] = SLASH.exec(parent.textBetween(0, $from.parentOffset, undefined, '\ufffc')) ?? [];
  return query === undefined ? undefined : { from: $from.start(), to: $from.pos, query };
}

function handleKey(editor: Editor, event: KeyboardEvent): boolean {
  const menu = slashMenuOf(editor.state);
  if (!menu || event.isComposing) return false;
  const { items } = menu;
  const active = items[menu.active];
  if (!active) return false;
  const step = (by: number): true => {
    changeSlashMenu(editor, { active: (menu.active + by + items.length) % items.length });
    return true;
  };
  switch (event.key) {
    case 'ArrowDown':
      return step(1);
    case 'ArrowUp':
      return step(-1);
    case 'Enter':
    case 'Tab':
      takeSlashItem(editor, active);
      return true;
    case 'Escape':
      changeSlashMenu(editor, 'close');
      return true;
    default:
      return false;
  }
}
