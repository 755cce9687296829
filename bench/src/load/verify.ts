import { HocuspocusProvider, HocuspocusProviderWebsocket } from '@hocuspocus/provider';
import { WebSocket } from 'ws';
import * as Y from 'yjs';
import type { Crowd } from './crowd.ts';
import { TEXT } from './typist.ts';
import { until } from '@weft/harness';

export interface View {
  readonly url: string;
  readonly token: string;
  readonly document: string;
}

/** A stock provider with a Y.Doc of its own. */
interface Watcher extends View {
  readonly doc: Y.Doc;
  readonly provider: HocuspocusProvider;
  readonly socket: HocuspocusProviderWebsocket;
}

/** Stock providers that look at documents as real clients see them, and compare with what was written. */
export class Watchers {
  private readonly watchers: Watcher[] = [];

  /** Opens one that stays, and resolves when it has the document. */
  async watch(view: View): Promise<void> {
    this.watchers.push(await open(view));
  }

  /** All that stay, and a fresh one for each of `views`, must come to show the expected text. */
  async verify(crowd: Crowd, { views }: { views: readonly View[] }): Promise<{ verified: number }> {
    const fresh = await Promise.all(views.map(open));
    const expected = new Map<string, string>();
    try {
      for (const watcher of [...this.watchers, ...fresh]) {
        const { document, doc } = watcher;
        const text = expected.get(document) ?? crowd.expectedText(document);
        expected.set(document, text);
        const shows = () => doc.getText(TEXT).toJSON() === text;
        await until(shows, {
          timeout: 20_000,
          what: `${document} at ${watcher.url} to show what was written`,
        });
      }
      return { verified: this.watchers.length + fresh.length };
    } finally {
      for (const watcher of fresh) close(watcher);
    }
  }

  /** What a fresh client gets of each author, for comparing with what was acknowledged. */
  async load(view: View): Promise<{ characters: [client: number, characters: number][] }> {
    const watcher = await open(view);
    try {
      return { characters: [...Y.decodeStateVector(Y.encodeStateVector(watcher.doc))] };
    } finally {
      close(watcher);
    }
  }

  leave(): void {
    for (const watcher of this.watchers.splice(0)) close(watcher);
  }
}

/** The samples of a storm must hold the whole document at the moment they called it open. */
export function verifyStates(crowd: Crowd, { document }: { document: string }): { verified: number } {
  const expected = crowd.expectedText(document);
  let verified = 0;
  for (const { client } of crowd.participants) {
    if (client.document !== document || client.state.length === 0) continue;
    const doc = new Y.Doc();
    for (const update of client.state) Y.applyUpdate(doc, update);
    if (doc.getText(TEXT).toJSON() !== expected)
      throw new Error(`A client of ${document} was given another text`);
    doc.destroy();
    verified += 1;
  }
  if (verified === 0) throw new Error(`No state of ${document} was kept to compare`);
  return { verified };
}

async function open(view: View): Promise<Watcher> {
  const doc = new Y.Doc();
  const socket = new HocuspocusProviderWebsocket({ url: view.url, WebSocketPolyfill: WebSocket });
  const { token, document: name } = view;
  const provider = new HocuspocusProvider({ websocketProvider: socket, name, token, document: doc });
  provider.attach();
  await until(() => provider.isSynced && !provider.hasUnsyncedChanges, {
    timeout: 60_000,
    what: `a stock provider to open ${view.document}`,
  });
  return { ...view, doc, provider, socket };
}

function close({ provider, socket, doc }: Watcher): void {
  provider.destroy();
  socket.destroy();
  doc.destroy();
}
