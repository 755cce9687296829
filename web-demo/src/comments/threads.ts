import * as Y from 'yjs';
import { COMMENTS_ROOT } from '../session/access.ts';

/**
 * Comments live in a root type of their own, so that somebody who may comment but not write can be held to
 * exactly that. The text carries no marks for them: a thread knows its place by two relative positions.
 */
export interface Thread {
  readonly id: string;
  /** `undefined`: about the whole document. */
  readonly anchor: Anchor | undefined;
  /** The text it was about when it was begun; it outlives the text. */
  readonly quote: string;
  readonly resolvedBy: string | undefined;
  readonly messages: readonly Message[];
}

export interface Message {
  readonly id: string;
  readonly author: Author;
  readonly text: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

export interface Author {
  readonly id: string;
  readonly name: string;
  readonly color: string;
}

/** Yjs relative positions as JSON. */
export interface Anchor {
  readonly from: string;
  readonly to: string;
}

export const MAX_COMMENT_LENGTH = 4_000;
const MAX_QUOTE_LENGTH = 280;

type Entry = Y.Map<unknown>;

export function commentsOf(doc: Y.Doc): Y.Map<Entry> {
  return doc.getMap<Entry>(COMMENTS_ROOT);
}

export function addThread(
  doc: Y.Doc,
  {
    anchor,
    quote,
    author,
    text,
  }: { anchor: Anchor | undefined; quote: string; author: Author; text: string },
): string {
  const id = newId();
  doc.transact(() => {
    const thread: Entry = new Y.Map<unknown>();
    if (anchor) thread.set('anchor', { ...anchor });
    thread.set('quote', quote.slice(0, MAX_QUOTE_LENGTH));
    const messages = new Y.Array<Entry>();
    messages.push([messageEntry(author, text)]);
    thread.set('messages', messages);
    commentsOf(doc).set(id, thread);
  });
  return id;
}

export function addReply(
  doc: Y.Doc,
  threadId: string,
  { author, text }: { author: Author; text: string },
): void {
  messagesOf(doc, threadId)?.push([messageEntry(author, text)]);
}

export function resolveThread(doc: Y.Doc, threadId: string, by: Author): void {
  commentsOf(doc).get(threadId)?.set('resolvedBy', by.name);
}

export function reopenThread(doc: Y.Doc, threadId: string): void {
  commentsOf(doc).get(threadId)?.delete('resolvedBy');
}

/** The first message is the thread: with it goes the thread, once nobody else has said anything in it. */
export function deleteMessage(doc: Y.Doc, threadId: string, messageId: string): void {
  const messages = messagesOf(doc, threadId);
  if (!messages) return;
  const index = messages.toArray().findIndex((message) => message.get('id') === messageId);
  if (index < 0) return;
  if (messages.length === 1) commentsOf(doc).delete(threadId);
  else messages.delete(index);
}

export function readThreads(doc: Y.Doc): Thread[] {
  return [...commentsOf(doc).entries()].flatMap(([id, entry]) => readThread(id, entry) ?? []);
}

/** 128 bits. Browsers keep `crypto.randomUUID` back from a page that came by plain HTTP. */
function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function messageEntry(author: Author, text: string): Entry {
  return new Y.Map<unknown>([
    ['id', newId()],
    ['author', { ...author }],
    ['text', text.slice(0, MAX_COMMENT_LENGTH)],
    ['at', Date.now()],
  ]);
}

function messagesOf(doc: Y.Doc, threadId: string): Y.Array<Entry> | undefined {
  const messages = commentsOf(doc).get(threadId)?.get('messages');
  return messages instanceof Y.Array ? (messages as Y.Array<Entry>) : undefined;
}

/** Other clients wrote this: whatever has not the expected form is left out. */
function readThread(id: string, entry: unknown): Thread | undefined {
  if (!(entry instanceof Y.Map)) return undefined;
  const list: unknown = entry.get('messages');
  const messages =
    list instanceof Y.Array ? list.toArray().flatMap((message) => readMessage(message) ?? []) : [];
  if (messages.length === 0) return undefined;
  return {
    id,
    anchor: readAnchor(entry.get('anchor')),
    quote: stringOf(entry.get('quote')) ?? '',
    resolvedBy: stringOf(entry.get('resolvedBy')),
    messages,
  };
}

function readMessage(entry: unknown): Message | undefined {
  if (!(entry instanceof Y.Map)) return undefined;
  const author = entry.get('author') as Partial<Author> | undefined;
  const id = stringOf(entry.get('id'));
  const text = stringOf(entry.get('text'));
  const at: unknown = entry.get('at');
  const name = stringOf(author?.name);
  if (id === undefined || text === undefined || name === undefined || typeof at !== 'number')
    return undefined;
  return {
    id,
    text,
    at,
    author: { id: stringOf(author?.id) ?? name, name, color: stringOf(author?.color) ?? '' },
  };
}

function readAnchor(value: unknown): Anchor | undefined {
  const anchor = value as Partial<Anchor> | undefined;
  const from = stringOf(anchor?.from);
  const to = stringOf(anchor?.to);
  return from === undefined || to === undefined ? undefined : { from, to };
}

function stringOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
