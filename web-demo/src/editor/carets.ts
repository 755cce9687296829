import { Extension } from '@tiptap/core';
import { Plugin, PluginKey, type EditorState } from '@tiptap/pm/state';
import type { DecorationSet, EditorView } from '@tiptap/pm/view';
import { yCursorPluginKey, ySyncPluginKey } from '@tiptap/y-tiptap';
import type { Awareness } from 'y-protocols/awareness';
import { inkOn } from '../ui/color.ts';
import { scrollIntoSight } from '../ui/scroll.ts';

export function renderCaret({ id, name, color }: Record<string, unknown>): HTMLElement {
  const caret = document.createElement('span');
  caret.className = 'remote-caret';
  caret.dataset['person'] = String(id);
  // It stands in the middle of words, which are to be read as they are. Who is here is said in the header.
  caret.setAttribute('aria-hidden', 'true');
  caret.style.setProperty('--person', String(color));
  const label = document.createElement('span');
  label.className = 'remote-caret__label';
  label.style.color = /^#[0-9a-f]{6}$/i.test(String(color)) ? inkOn(String(color)) : '#fff';
  // Drawn by the style sheet: the name must not become part of the text that is read or copied.
  label.dataset['name'] = typeof name === 'string' ? name : '';
  caret.append(label);
  return caret;
}

const SHOWN_MS = 2_500;
const FADE_MS = 300;

/** Where each client's caret is; who moved last stands last. */
type Places = Map<number, string>;

const caretNamesKey = new PluginKey<Places>('caretNames');

/** A name covers the line above: it is shown while its person moves, and then on hovering over the caret. */
export const CaretNames = Extension.create<{ awareness: Awareness | undefined }>({
  name: 'caretNames',
  addOptions() {
    return { awareness: undefined };
  },
  addProseMirrorPlugins() {
    const { awareness } = this.options;
    if (!awareness) return [];
    const places: Places = new Map();
    const follow = (view: EditorView, before: EditorState): void => {
      // One's own words push the carets behind them, and nobody has moved.
      const own = isOwnEdit(view.state, before);
      for (const [client, place] of caretPlaces(view.state, awareness)) {
        if (!own && places.get(client) !== place) {
          places.delete(client);
          showName(view, personOf(awareness, client));
        }
        places.set(client, place);
      }
      // Carets may be hidden for a moment; who is gone has none.
      for (const client of places.keys()) if (!awareness.getStates().has(client)) places.delete(client);
    };
    return [
      new Plugin<Places>({
        key: caretNamesKey,
        state: { init: () => places, apply: () => places },
        view: () => ({ update: follow }),
      }),
    ];
  },
});

const fading = new WeakMap<Element, Animation>();

/** Names of the carets of a person, for a moment. */
export function showName(view: EditorView, person: string): void {
  for (const caret of caretsOf(view, person)) {
    const label = caret.firstElementChild;
    if (!label) continue;
    fading.get(label)?.cancel();
    fading.set(label, label.animate(shownThenFading({ opacity: 1 }, { opacity: 0 }), SHOWN_MS + FADE_MS));
  }
}

/**
 * Brings a person's caret into view and lights it up for a moment; one's own stays where it is.
 *
 * @returns whether the person has a caret in this text
 */
export function goToCaret(view: EditorView, person: string): boolean {
  const caret = latestCaretOf(view, person);
  if (!caret) return false;
  scrollIntoSight(caret, 'center');
  showName(view, person);
  const halo = '0 0 0 6px color-mix(in srgb, var(--person) 38%, transparent)';
  caret.animate(
    shownThenFading({ boxShadow: halo }, { boxShadow: '0 0 0 6px transparent' }),
    SHOWN_MS + FADE_MS,
  );
  return true;
}

function caretsOf(view: EditorView, person: string): Element[] {
  return [...view.dom.querySelectorAll(`.remote-caret[data-person="${CSS.escape(person)}"]`)];
}

/** Of somebody with several devices: the caret of the one that is at work, or was last. */
function latestCaretOf(view: EditorView, person: string): Element | undefined {
  const carets = new Map(caretsOf(view, person).map((caret) => [view.posAtDOM(caret, 0), caret]));
  const positions = new Map(caretDecorations(view.state).map(({ client, from }) => [client, from]));
  const moved = [...(caretNamesKey.getState(view.state)?.keys() ?? [])].reverse();
  const latest = moved
    .map((client) => carets.get(positions.get(client) ?? -1))
    .find((caret) => caret !== undefined);
  return latest ?? [...carets.values()][0];
}

function shownThenFading(shown: Keyframe, gone: Keyframe): Keyframe[] {
  return [shown, { ...shown, offset: SHOWN_MS / (SHOWN_MS + FADE_MS) }, gone];
}

/**
 * Where each client's caret is, so that it stays equal while others edit other paragraphs. The relative position
 * alone does not tell: at the end of a paragraph it stays the same however much is written.
 */
function caretPlaces(state: EditorState, awareness: Awareness): Places {
  const places: Places = new Map();
  for (const { client, from } of caretDecorations(state)) {
    const cursor = awareness.getStates().get(client)?.['cursor'] as { head?: unknown } | undefined;
    places.set(client, `${state.doc.resolve(from).parentOffset} ${JSON.stringify(cursor?.head)}`);
  }
  return places;
}

function caretDecorations(state: EditorState): { readonly client: number; readonly from: number }[] {
  const carets = yCursorPluginKey.getState(state) as DecorationSet | undefined;
  return (carets?.find() ?? []).flatMap(({ from, spec }) => {
    const { key } = spec as { key?: string };
    return key === undefined ? [] : [{ client: Number(key), from }];
  });
}

function isOwnEdit(state: EditorState, before: EditorState): boolean {
  const sync = ySyncPluginKey.getState(state) as { isChangeOrigin?: boolean } | undefined;
  return state.doc !== before.doc && sync?.isChangeOrigin !== true;
}

function personOf(awareness: Awareness, client: number): string {
  const user = awareness.getStates().get(client)?.['user'] as { id?: unknown } | undefined;
  return String(user?.id);
}
