import type { EditorState } from '@tiptap/pm/state';
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

/** A place in the text that stays with its characters, whoever edits around it. */
export function anchorOf(state: EditorState, { from, to }: Range): Anchor | undefined {
  const sync = syncStateOf(state);
  if (!sync?.binding) return undefined;
  const { type, binding } = sync;
  const relative = (position: number): string =>
    JSON.stringify(absolutePositionToRelativePosition(position, type, binding.mapping));
  return { from: relative(from), to: relative(to) };
}

/** Where the anchor is now; `undefined` when its text has gone. */
export function rangeOf(state: EditorState, anchor: Anchor): Range | undefined {
  const sync = syncStateOf(state);
  if (!sync?.binding) return undefined;
  const { doc, type, binding } = sync;
  const absolute = (json: string): number | null =>
    relativePositionToAbsolutePosition(
      doc,
      type,
      Y.createRelativePositionFromJSON(JSON.parse(json)),
      binding.mapping,
    );
  try {
    const from = absolute(anchor.from);
    const to = absolute(anchor.to);
    const inside = from !== null && to !== null && from < to && to <= state.doc.content.size;
    return inside ? { from, to } : undefined;
  } catch {
    // Written by another client: not JSON, or no position.
    return undefined;
  }
}

function syncStateOf(state: EditorState): SyncState | undefined {
  return ySyncPluginKey.getState(state) as SyncState | undefined;
}
