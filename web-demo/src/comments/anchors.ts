import type { EditorState, Transaction } from '@tiptap/pm/state';
import {
  absolutePositionToRelativePosition,
  relativePositionToAbsolutePosition,
  ySyncPluginKey,
  type ProsemirrorBinding,
} from '@tiptap/y-tiptap';
import * as Y from 'yjs';
import type { Anchor } from './threads.ts';

export interface Range {
  readonly from: number;
  readonly to: number;
}

interface SyncState {
  readonly type: Y.XmlFragment;
  readonly doc: Y.Doc;
  readonly binding: Pick<ProsemirrorBinding, 'mapping'> | null;
}

/** A part of the text that stays with its characters, whoever edits around it. */
export function anchorOf(state: EditorState, { from, to }: Range): Anchor | undefined {
  const anchor = { from: placeOf(state, from), to: placeOf(state, to) };
  return anchor.from === undefined || anchor.to === undefined
    ? undefined
    : { from: anchor.from, to: anchor.to };
}

/** A place in the text that stays between its characters. */
export function placeOf(state: EditorState, position: number): string | undefined {
  const sync = syncStateOf(state);
  if (!sync?.binding) return undefined;
  return JSON.stringify(absolutePositionToRelativePosition(position, sync.type, sync.binding.mapping));
}

/** Where the anchor is now; `undefined` when its text has gone. */
export function rangeOf(state: EditorState, anchor: Anchor): Range | undefined {
  const from = positionOf(state, anchor.from);
  const to = positionOf(state, anchor.to);
  return from !== undefined && to !== undefined && from < to ? { from, to } : undefined;
}

/** Where the place is now; `undefined` when its text has gone. */
export function positionOf(state: EditorState, place: string): number | undefined {
  const sync = syncStateOf(state);
  if (!sync?.binding) return undefined;
  const { doc, type, binding } = sync;
  try {
    const relative = Y.createRelativePositionFromJSON(JSON.parse(place));
    const position = relativePositionToAbsolutePosition(doc, type, relative, binding.mapping);
    return position !== null && position <= state.doc.content.size ? position : undefined;
  } catch {
    // Written by another client: not JSON, or no position.
    return undefined;
  }
}

/** What others changed, or undo and redo, came by the shared document. */
export function isFromOthers(transaction: Transaction): boolean {
  const change = transaction.getMeta(ySyncPluginKey) as { isChangeOrigin?: boolean } | undefined;
  return change?.isChangeOrigin === true;
}

function syncStateOf(state: EditorState): SyncState | undefined {
  return ySyncPluginKey.getState(state) as SyncState | undefined;
}
