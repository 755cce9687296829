import { EditorState } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import { HocuspocusProvider } from '@hocuspocus/provider';
import Quill from 'quill';
import QuillCursors from 'quill-cursors';
import { yCollab } from 'y-codemirror.next';
import { QuillBinding } from 'y-quill';
import * as Y from 'yjs';

/** A page of one editor on a stock provider, as its binding's own documentation connects one. */
const {
  kind = '',
  name = '',
  person = '',
  url = '',
  token = '',
} = Object.fromEntries(new URLSearchParams(location.search));

const doc = new Y.Doc();
const provider = new HocuspocusProvider({ url, name, document: doc, token });
const text = doc.getText(kind);
const parent = document.body.appendChild(document.createElement('main'));
const { awareness } = provider;
if (!awareness) throw new Error('the provider has no awareness');
awareness.setLocalStateField('user', { name: person, color: '#3f45b5' });

switch (kind) {
  case 'codemirror': {
    const extensions = [EditorView.lineWrapping, yCollab(text, awareness)];
    new EditorView({ parent, state: EditorState.create({ doc: text.toJSON(), extensions }) });
    break;
  }
  case 'quill': {
    Quill.register('modules/cursors', QuillCursors);
    const quill = new Quill(parent, { modules: { cursors: true } });
    new QuillBinding(text, quill, awareness);
    break;
  }
  default:
    throw new Error(`no such editor: ${kind}`);
}

window.isSaved = () => provider.synced && provider.unsyncedChanges === 0;
window.sharedText = () => JSON.stringify(text.toDelta());

declare global {
  interface Window {
    isSaved(): boolean;
    /** As JSON, with its formats. */
    sharedText(): string;
  }
}
