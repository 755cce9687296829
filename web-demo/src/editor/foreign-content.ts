import { Extension, Mark as MarkExtension, Node as NodeExtension, type Extensions } from '@tiptap/core';
import type { Attrs, Mark, MarkType, Node, NodeType, Schema } from '@tiptap/pm/model';
import { Plugin } from '@tiptap/pm/state';
import { ySyncPluginKey, type ProsemirrorBinding } from '@tiptap/y-tiptap';
import * as Y from 'yjs';
import { cellAttributes } from './tables.ts';

const FOREIGN_BLOCK = 'foreignBlock';
const FOREIGN_INLINE = 'foreignInline';
const FOREIGN_MARK = 'foreignMark';

/** What another program may call something, as far as it is worth showing. */
const NAME = /^[\w-]{1,40}$/;

/**
 * What other programs put into the document and this one has no place for: pictures, mentions, highlighted words. The
 * binding deletes from the shared document what the schema does not take. For a writer that would be somebody's loss, and
 * for a reader a change without the right to it, for which the server ends the session. So the schema takes everything,
 * and what it does not know is a box, or a format without a look, that stays in the document as it is.
 */
export function foreignContent(fragment: Y.XmlFragment): Extensions {
  return [ForeignBlock, ForeignInline, ForeignMark, TakeEverything.configure({ fragment })];
}

/**
 * What can be made anew where the binding replaces the box: attributes and content, but no types of Yjs that are values of
 * attributes, nor a format whose value is no object.
 */
const KEPT = {
  name: { default: '' },
  attributes: { default: {}, rendered: false },
  parts: { default: [], rendered: false },
};

const ForeignBlock = NodeExtension.create({
  name: FOREIGN_BLOCK,
  group: 'block',
  atom: true,
  addAttributes: () => KEPT,
  renderHTML: ({ node }) => ['div', lookOf(node)],
});

const ForeignInline = NodeExtension.create({
  name: FOREIGN_INLINE,
  group: 'inline',
  inline: true,
  atom: true,
  addAttributes: () => KEPT,
  renderHTML: ({ node }) => ['span', lookOf(node)],
});

const ForeignMark = MarkExtension.create({
  name: FOREIGN_MARK,
  renderHTML: () => ['span', 0],
});

/** The words are drawn by the style sheet: they are no part of the text. */
function lookOf({ attrs }: Node): Record<string, string> {
  const name = String(attrs['name']);
  const kind = NAME.test(name) ? ` (${name})` : '';
  return { class: 'foreign', role: 'img', 'aria-label': `Not shown by this editor${kind}` };
}

const TakeEverything = Extension.create<{ fragment: Y.XmlFragment | undefined }>({
  name: 'takeEverything',
  addOptions: () => ({ fragment: undefined }),
  onBeforeCreate() {
    const { schema, options } = this.editor;
    const { fragment } = this.options;
    if (fragment) takeEverything(schema, { fragment, isWritable: () => options.editable });
  },
  addProseMirrorPlugins: () => [
    new Plugin({
      view: ({ state }) => {
        const { binding } = (ySyncPluginKey.getState(state) ?? {}) as { binding?: ProsemirrorBinding | null };
        if (binding) keepBoxes(binding);
        return {};
      },
    }),
  ],
});

/**
 * Where several places around a box are changed at once, the binding takes it away and makes an element that is named like
 * the box. In the same transaction that is replaced by what it stands for.
 */
function keepBoxes(binding: ProsemirrorBinding): void {
  // A view is made again with every plugin that comes later.
  if (Object.hasOwn(binding, '_prosemirrorChanged')) return;
  const write = binding._prosemirrorChanged.bind(binding);
  binding._prosemirrorChanged = (doc) =>
    binding.doc.transact((transaction) => {
      write(doc);
      if (changesElements(transaction)) restoreBoxes(binding.mapping);
    }, ySyncPluginKey);
}

/** Whether more than words has changed. */
export function changesElements({ changed }: Y.Transaction): boolean {
  return [...changed.keys()].some((type) => type instanceof Y.XmlFragment);
}

type Mapping = ProsemirrorBinding['mapping'];

export function restoreBoxes(mapping: Mapping): void {
  for (const [type, node] of [...mapping]) {
    if (!(type instanceof Y.XmlElement) || Array.isArray(node) || !isBox(type.nodeName)) continue;
    const { parent } = type;
    const { name } = node.attrs as Box;
    // One without a name stands for what is embedded in a text.
    if (!(parent instanceof Y.XmlFragment) || name === '' || isBox(name)) continue;
    const restored = elementOf(node.toJSON() as Json);
    const index = parent.toArray().indexOf(type);
    parent.delete(index);
    parent.insert(index, [restored]);
    mapping.delete(type);
    mapping.set(restored, node);
  }
}

export interface TakeOptions {
  readonly fragment: Y.XmlFragment;
  readonly isWritable: () => boolean;
}

/** The binding makes nodes, texts and marks by these three methods of the schema, and deletes where one of them throws. */
export function takeEverything(schema: Schema, { fragment, isWritable }: TakeOptions): void {
  const known = {
    node: schema.node.bind(schema),
    text: schema.text.bind(schema),
    mark: schema.mark.bind(schema),
  };
  const isInline = inlineNames(schema, fragment);
  const foreign = (kind: string, name: string, attributes?: unknown, content?: Content): Node => {
    const parts = Array.isArray(content) ? content.map((part: Node): unknown => part.toJSON()) : [];
    return known.node(kind, { name, attributes: attributes ?? {}, parts });
  };

  schema.node = (type, attrs, content, ...rest) => {
    const name = typeof type === 'string' ? type : type.name;
    const knownType = isElement(schema, name) ? schema.nodes[name] : undefined;
    if (!knownType) return foreign(isInline(name) ? FOREIGN_INLINE : FOREIGN_BLOCK, name, attrs, content);
    try {
      return known.node(type, isCell(knownType) && attrs ? cellAttributes(attrs) : attrs, content, ...rest);
    } catch (error) {
      // Left over from what two did at once: whoever may write mends it, by deleting what is not whole.
      if (isWritable() && !hasForeign(content)) throw error;
      return foreign(knownType.isInline ? FOREIGN_INLINE : FOREIGN_BLOCK, name, attrs, content);
    }
  };
  // What is embedded in a text is no string.
  schema.text = (text: unknown, ...rest) =>
    typeof text === 'string' ? known.text(text, ...rest) : foreign(FOREIGN_INLINE, '');
  schema.mark = (type, attrs) => {
    const name = typeof type === 'string' ? type : type.name;
    if (name in schema.marks) return known.mark(hasBrokenAddress(name, attrs) ? FOREIGN_MARK : type, attrs);
    return foreignMarkType(schema, name).create(attrs);
  };
}

function isBox(name: string): boolean {
  return name === FOREIGN_BLOCK || name === FOREIGN_INLINE;
}

/** The whole and the words are nodes too, which no element can stand for. */
export function isElement({ topNodeType }: Schema, name: string): boolean {
  return name !== topNodeType.name && name !== 'text';
}

function isCell({ spec }: NodeType): boolean {
  return spec['tableRole'] === 'cell' || spec['tableRole'] === 'header_cell';
}

interface Box {
  readonly name: string;
  readonly attributes: object;
  readonly parts: readonly Json[];
}

interface Json {
  readonly type: string;
  readonly attrs?: object;
  readonly content?: readonly Json[];
  readonly text?: string;
  readonly marks?: readonly { readonly type: string; readonly attrs?: object }[];
}

function elementOf({ type, attrs = {}, content = [] }: Json): Y.XmlElement {
  const { name, attributes, parts } = isBox(type)
    ? (attrs as Box)
    : { name: type, attributes: attrs, parts: content };
  const element = new Y.XmlElement(name);
  for (const [key, value] of Object.entries(attributes) as [string, string][]) {
    if (isPlain(value)) element.setAttribute(key, value);
  }
  element.insert(0, partsOf(parts));
  return element;
}

/** A type of Yjs stands in one place only. */
function isPlain(value: unknown): boolean {
  return value !== null && value !== undefined && !(value instanceof Y.AbstractType);
}

/** Words that follow each other are one text. */
function partsOf(parts: readonly Json[]): (Y.XmlElement | Y.XmlText)[] {
  const made: (Y.XmlElement | Y.XmlText)[] = [];
  let words: object[] = [];
  const endText = (): void => {
    if (words.length === 0) return;
    const text = new Y.XmlText();
    text.applyDelta(words);
    made.push(text);
    words = [];
  };
  for (const part of parts) {
    if (part.text !== undefined) {
      const marks = (part.marks ?? []).map(({ type, attrs = {} }) => [type, attrs] as const);
      words.push({ insert: part.text, attributes: Object.fromEntries(marks) });
      continue;
    }
    endText();
    made.push(elementOf(part));
  }
  endText();
  return made;
}

type Content = Parameters<Schema['node']>[2];

function hasForeign(content: Content): boolean {
  return Array.isArray(content) && content.some(({ type }: Node) => isBox(type.name));
}

/** An address that is no text breaks whatever looks at the link. */
function hasBrokenAddress(name: string, attrs: Attrs | null | undefined): boolean {
  return name === 'link' && typeof attrs?.['href'] !== 'string';
}

/** A mark keeps its own name and its value: so it is still there when the words were edited. */
function foreignMarkType(schema: Schema, name: string): MarkType {
  const base = schema.marks[FOREIGN_MARK];
  if (!base) throw new Error(`The schema lacks ${FOREIGN_MARK}.`);
  const type = Object.create(base) as MarkType;
  const create = (value: unknown): Mark => {
    // Editors on ProseMirror give nothing else than objects.
    const attrs = typeof value === 'object' && value !== null ? value : {};
    return Object.create(base.create(), { type: { value: type }, attrs: { value: attrs } }) as Mark;
  };
  Object.defineProperties(type, {
    name: { value: name },
    excluded: { value: [type] },
    create: { value: create },
  });
  // Where the view reads what was typed, it looks for the type by its name.
  (schema.marks as Record<string, MarkType>)[name] = type;
  return type;
}

/** Whether others of its name stand among words. */
export function inlineNames(schema: Schema, fragment: Y.XmlFragment): (name: string) => boolean {
  const names = new Map<string, boolean>();
  const look = (parent: Y.XmlFragment): void => {
    const isText = parent instanceof Y.XmlElement && schema.nodes[parent.nodeName]?.inlineContent === true;
    for (const child of parent.toArray()) {
      if (!(child instanceof Y.XmlElement)) continue;
      names.set(child.nodeName, isText || names.get(child.nodeName) === true);
      look(child);
    }
  };
  return (name) => {
    if (!names.has(name)) look(fragment);
    return names.get(name) === true;
  };
}
