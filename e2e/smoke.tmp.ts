import { HocuspocusProvider, HocuspocusProviderWebsocket } from '@hocuspocus/provider';
import { WebSocket } from 'ws';
import * as Y from 'yjs';
const base = 'http://localhost:' + (process.env.PORT ?? 8099);
async function token(sub: string) {
  const r = await fetch(base + '/dev/token', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ sub, name: sub }),
  });
  return ((await r.json()) as { token: string }).token;
}
const ta = await token('ada');
const tb = await token('bob');
const name = 'doc-' + Date.now();
const put = await fetch(`${base}/v1/documents/${name}`, {
  method: 'PUT',
  headers: { authorization: `Bearer ${ta}`, 'content-type': 'application/json' },
  body: '{"title":"Hi"}',
});
console.log('PUT', put.status, await put.text());
const g = await fetch(`${base}/v1/documents/${name}/grants/user:bob`, {
  method: 'PUT',
  headers: { authorization: `Bearer ${ta}`, 'content-type': 'application/json' },
  body: '{"role":"editor"}',
});
console.log('grant', g.status, await g.text());
function open(t: string, n = name) {
  const ws = new HocuspocusProviderWebsocket({
    url: base.replace('http', 'ws') + '/collab',
    WebSocketPolyfill: WebSocket as never,
  });
  const p = new HocuspocusProvider({
    websocketProvider: ws,
    name: n,
    document: new Y.Doc(),
    token: t,
    onAuthenticationFailed: (e) => console.log('authfail', e),
    onStateless: (e) => console.log('stateless', e.payload),
    onClose: (e) => console.log('close', e.event.code, e.event.reason),
    onSynced: () => console.log('synced'),
    onUnsyncedChanges: (e) => console.log('unsynced', e.number),
  });
  p.attach();
  return p;
}
const a = open(ta),
  b = open(tb);
await new Promise((r) => setTimeout(r, 800));
a.document.getText('t').insert(0, 'hello ');
b.document.getText('t').insert(0, 'world ');
a.awareness!.setLocalStateField('cursor', { x: 1 });
await new Promise((r) => setTimeout(r, 500));
console.log(
  JSON.stringify(a.document.getText('t').toString()),
  JSON.stringify(b.document.getText('t').toString()),
  a.unsyncedChanges,
  b.unsyncedChanges,
  a.synced,
);
console.log('aware', JSON.stringify([...b.awareness!.getStates()]));
const u = await fetch(`${base}/v1/documents/${name}/updates`, { headers: { authorization: `Bearer ${ta}` } });
console.log(u.status, await u.text());
const d = await fetch(`${base}/v1/documents/${name}/grants/user:bob`, {
  method: 'DELETE',
  headers: { authorization: `Bearer ${ta}` },
});
console.log('revoke', d.status);
await new Promise((r) => setTimeout(r, 500));
b.document.getText('t').insert(0, 'X');
await new Promise((r) => setTimeout(r, 300));
console.log(JSON.stringify(a.document.getText('t').toString()));
const x = open(tb);
await new Promise((r) => setTimeout(r, 300));
process.exit(0);
