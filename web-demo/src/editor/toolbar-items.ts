import type { ChainedCommands, Editor } from '@tiptap/react';
import { yUndoPluginKey } from '@tiptap/y-tiptap';
import {
  Bold,
  Code,
  Heading1,
  Heading2,
  Heading3,
  Italic,
  List,
  ListOrdered,
  ListTodo,
  Minus,
  Pilcrow,
  SquareCode,
  Strikethrough,
  Table,
  TextQuote,
  Underline,
  type LucideIcon,
} from 'lucide-react';
import type { UndoManager } from 'yjs';
import { insertTable } from './tables.ts';

export interface ToolbarItem {
  readonly id: string;
  readonly label: string;
  readonly icon: LucideIcon;
  readonly keys?: string;
  /** Name of the mark or node whose presence presses the button; none: it is never pressed. */
  readonly active?: string;
  readonly run: (chain: ChainedCommands) => ChainedCommands;
}

export const MARKS: readonly ToolbarItem[] = [
  {
    id: 'bold',
    label: 'Bold',
    icon: Bold,
    keys: 'Mod-b',
    active: 'bold',
    run: (chain) => chain.toggleBold(),
  },
  {
    id: 'italic',
    label: 'Italic',
    icon: Italic,
    keys: 'Mod-i',
    active: 'italic',
    run: (chain) => chain.toggleItalic(),
  },
  {
    id: 'underline',
    label: 'Underline',
    icon: Underline,
    keys: 'Mod-u',
    active: 'underline',
    run: (chain) => chain.toggleUnderline(),
  },
  {
    id: 'strike',
    label: 'Strikethrough',
    icon: Strikethrough,
    keys: 'Mod-Shift-s',
    active: 'strike',
    run: (chain) => chain.toggleStrike(),
  },
  {
    id: 'code',
    label: 'Code',
    icon: Code,
    keys: 'Mod-e',
    active: 'code',
    run: (chain) => chain.toggleCode(),
  },
];

export const BLOCKS: readonly ToolbarItem[] = [
  {
    id: 'bulletList',
    label: 'Bullet list',
    icon: List,
    keys: 'Mod-Shift-8',
    active: 'bulletList',
    run: (chain) => chain.toggleBulletList(),
  },
  {
    id: 'orderedList',
    label: 'Numbered list',
    icon: ListOrdered,
    keys: 'Mod-Shift-7',
    active: 'orderedList',
    run: (chain) => chain.toggleOrderedList(),
  },
  {
    id: 'taskList',
    label: 'Task list',
    icon: ListTodo,
    keys: 'Mod-Shift-9',
    active: 'taskList',
    run: (chain) => chain.toggleTaskList(),
  },
  {
    id: 'blockquote',
    label: 'Quote',
    icon: TextQuote,
    keys: 'Mod-Shift-b',
    active: 'blockquote',
    run: (chain) => chain.toggleBlockquote(),
  },
  {
    id: 'codeBlock',
    label: 'Code block',
    icon: SquareCode,
    keys: 'Mod-Alt-c',
    active: 'codeBlock',
    run: (chain) => chain.toggleCodeBlock(),
  },
  { id: 'rule', label: 'Divider', icon: Minus, run: (chain) => chain.setHorizontalRule() },
];

export const TABLE: ToolbarItem = { id: 'table', label: 'Insert table', icon: Table, run: insertTable };

export interface TextStyle {
  readonly id: string;
  readonly label: string;
  readonly icon: LucideIcon;
  readonly keys: string;
  readonly run: (chain: ChainedCommands) => ChainedCommands;
}

export const TEXT_STYLES: readonly TextStyle[] = [
  { id: 'text', label: 'Text', icon: Pilcrow, keys: 'Mod-Alt-0', run: (chain) => chain.setParagraph() },
  {
    id: 'h1',
    label: 'Heading 1',
    icon: Heading1,
    keys: 'Mod-Alt-1',
    run: (chain) => chain.setHeading({ level: 1 }),
  },
  {
    id: 'h2',
    label: 'Heading 2',
    icon: Heading2,
    keys: 'Mod-Alt-2',
    run: (chain) => chain.setHeading({ level: 2 }),
  },
  {
    id: 'h3',
    label: 'Heading 3',
    icon: Heading3,
    keys: 'Mod-Alt-3',
    run: (chain) => chain.setHeading({ level: 3 }),
  },
];

export interface ToolbarState {
  /** Ids of the pressed buttons. */
  readonly pressed: readonly string[];
  readonly style: string;
  readonly inTable: boolean;
  readonly canUndo: boolean;
  readonly canRedo: boolean;
}

export function toolbarState(editor: Editor): ToolbarState {
  const pressed = [...MARKS, ...BLOCKS]
    .filter(({ active }) => active !== undefined && editor.isActive(active))
    .map(({ id }) => id);
  if (editor.isActive('link')) pressed.push('link');
  // `editor.can()` would make every command there is, at each keystroke.
  const undo = yUndoPluginKey.getState(editor.state) as { readonly undoManager: UndoManager } | undefined;
  const level = [1, 2, 3].find((candidate) => editor.isActive('heading', { level: candidate }));
  return {
    pressed,
    style: level === undefined ? 'text' : `h${level}`,
    inTable: editor.isActive('table'),
    canUndo: undo !== undefined && undo.undoManager.undoStack.length > 0,
    canRedo: undo !== undefined && undo.undoManager.redoStack.length > 0,
  };
}
