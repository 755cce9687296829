import type { Session } from '@weft/harness';

/** The browser is gone without a word: its connection ends, and it does not come back. */
export function crash(session: Session): void {
  const { current } = session.socket.tap;
  // Before it is destroyed: a provider that is says goodbye.
  current?.terminate();
  session.close();
}

/** The connection breaks, and the page connects there. */
export function moveTo({ socket }: Session, url: string): void {
  socket.provider.setConfiguration({ url });
  socket.tap.current?.terminate();
}
