import { Extension, type Extensions } from '@tiptap/core';
import { Collaboration } from '@tiptap/extension-collaboration';
import { CollaborationCaret } from '@tiptap/extension-collaboration-caret';
import { Link } from '@tiptap/extension-link';
import { TaskItem, TaskList } from '@tiptap/extension-list';
import { Placeholder } from '@tiptap/extensions';
import { keydownHandler } from '@tiptap/pm/keymap';
import { Plugin, PluginKey } from '@tiptap/pm/state';
import type { EditorView } from '@tiptap/pm/view';
import StarterKit from '@tiptap/starter-kit';
import { ySyncPluginKey } from '@tiptap/y-tiptap';
import type { Awareness } from 'y-protocols/awareness';
import type * as Y from 'yjs';
import { CommentHighlights } from '../comments/highlights.ts';
import type { Person } from '../identity/people.ts';
import { TEXT_ROOT } from '../session/access.ts';
import { CaretNames, renderCaret } from './carets.ts';
import { foreignContent } from './foreign-content.ts';
import { SlashCommand } from './slash-command.ts';
import { tables } from './tables.ts';

/** Its marks stand where its words begin. Shown only: it is no part of the document. */
const OF_ITS_WORDS = { HTMLAttributes: { dir: 'auto' } };

export interface EditorExtensionsOptions {
  readonly doc: Y.Doc;
  readonly awareness: Awareness;
  readonly person: Person;
  readonly onThreadClick: (threadId: string) => void;
  readonly onComment: () => void;
  readonly onLink: () => void;
}

export function editorExtensions(options: EditorExtensionsOptions): Extensions {
  const { doc, awareness, person } = options;
  return [
    ...contentExtensions(doc),
    Placeholder.configure({
      placeholder: ({ editor }) =>
        editor.isEditable
          ? 'Write something, or type / for headings, lists and more…'
          : 'Nothing is written here yet.',
      showOnlyWhenEditable: false,
    }),
    Collaboration.configure({ document: doc, field: TEXT_ROOT }),
    CollaborationCaret.configure({
      // All it needs of a provider.
      provider: { awareness },
      user: { id: person.sub, name: person.name, color: person.color },
      render: renderCaret,
      selectionRender: ({ color }) => ({
        class: 'remote-selection',
        style: `--person: ${String(color)}`,
      }),
    }),
    CaretNames.configure({ awareness }),
    CommentHighlights.configure({ onThreadClick: options.onThreadClick }),
    SlashCommand,
    Shortcuts.configure({ onComment: options.onComment, onLink: options.onLink }),
    WriteGuard,
  ];
}

/** What a text can consist of. */
export function contentExtensions(doc: Y.Doc): Extensions {
  return [
    StarterKit.configure({
      // Undo is the shared document's, per person.
      undoRedo: false,
      // It appends a paragraph while a document is being shown, which a reader must not do.
      trailingNode: false,
      heading: { levels: [1, 2, 3] },
      bulletList: OF_ITS_WORDS,
      orderedList: OF_ITS_WORDS,
      blockquote: OF_ITS_WORDS,
      link: false,
      // To a spelling checker every line of code is wrong.
      codeBlock: { HTMLAttributes: { spellcheck: 'false' } },
      dropcursor: { class: 'dropcursor', color: false },
    }),
    TaskList,
    SharedTask.configure({
      nested: true,
      ...OF_ITS_WORDS,
      // The text of the task follows; with it in the label it would be read, and found, twice.
      a11y: { checkboxLabel: () => 'Done' },
    }),
    SafeLink.configure({
      // A click places the caret, and the bubble follows the link. Where nobody writes, the browser follows it itself.
      openOnClick: false,
      defaultProtocol: 'https',
      HTMLAttributes: { rel: 'noopener noreferrer nofollow' },
    }),
    ...tables,
    ...foreignContent(doc.getXmlFragment(TEXT_ROOT)),
  ];
}

/** How a link looks and where it opens is not for the document to say: a class of this page's could lay it over everything. */
const SafeLink = Link.extend({
  addAttributes() {
    const fixed = { default: null, rendered: false, parseHTML: () => null };
    return { ...this.parent?.(), class: fixed, rel: fixed, target: fixed };
  },
});

/** The first words in a task are the hidden name of its box, by which it would be taken for English. */
const SharedTask = TaskItem.extend({
  addNodeView() {
    const render = this.parent?.();
    if (!render) return null;
    return (props) => {
      const view = render(props);
      if (view.dom instanceof Element) view.dom.querySelector('label')?.setAttribute('dir', 'ltr');
      return view;
    };
  },
});

/**
 * Whoever may not write the text must not change it by accident either: a plugin that tidies up, a checkbox,
 * a drop. The server would refuse it, and this copy of the document would have to be thrown away.
 */
const WriteGuard = Extension.create({
  name: 'writeGuard',
  addProseMirrorPlugins() {
    const { editor } = this;
    return [
      new Plugin({
        key: new PluginKey('writeGuard'),
        filterTransaction: (transaction) =>
          !transaction.docChanged || editor.isEditable || transaction.getMeta(ySyncPluginKey) !== undefined,
      }),
    ];
  },
});

interface ShortcutOptions {
  readonly onComment: () => void;
  readonly onLink: () => void;
}

const Shortcuts = Extension.create<ShortcutOptions>({
  name: 'shortcuts',
  addOptions() {
    return { onComment: () => undefined, onLink: () => undefined };
  },
  addProseMirrorPlugins() {
    const run = (action: () => void) => (): boolean => {
      action();
      return true;
    };
    const { onComment, onLink } = this.options;
    const handle = keydownHandler({ 'Mod-Alt-m': run(onComment), 'Mod-k': run(onLink) });
    // Keys are handled only where the text can be written, and elsewhere one comments too.
    const keydown = (view: EditorView, event: KeyboardEvent): boolean =>
      !view.editable && handle(view, event);
    const props = { handleKeyDown: handle, handleDOMEvents: { keydown } };
    return [new Plugin({ key: new PluginKey('shortcuts'), props })];
  },
});
