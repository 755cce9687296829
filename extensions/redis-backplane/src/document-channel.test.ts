import { documentKey } from '@weft/common';
import { describe, expect, test } from 'vitest';
import { DocumentChannel } from './document-channel.ts';

const SECOND = 1000;

function openChannel(): DocumentChannel {
  const document = new DocumentChannel({
    key: documentKey('default', 'notes'),
    channel: 'document:default/notes',
    number: 1,
    authorships: { last: 0 },
    handlers: {
      updates: () => undefined,
      awareness: () => undefined,
      stateless: () => undefined,
      hint: () => undefined,
      position: () => undefined,
      peerJoined: () => undefined,
    },
  });
  document.publishedAt = 0;
  return document;
}

describe('P12.16 who gets letters', () => {
  test('P12.16 the only peer, once it has said where it is reached', () => {
    const document = openChannel();
    expect(document.onlyPeer(0, SECOND)).toBeUndefined();
    document.heard('b', 0);
    expect(document.onlyPeer(0, SECOND)).toBeUndefined();
    document.greeted('b', 7);
    expect(document.onlyPeer(0, SECOND)).toEqual({ sender: 'b', number: 7 });
    document.heard('c', 0);
    document.greeted('c', 8);
    expect(document.onlyPeer(0, SECOND)).toBeUndefined();
    document.gone('b');
    expect(document.onlyPeer(0, SECOND)).toEqual({ sender: 'c', number: 8 });
  });

  test('P12.16 nobody while the peer is silent, but for once in that time', () => {
    const document = openChannel();
    document.heard('b', 0);
    document.greeted('b', 7);
    expect(document.onlyPeer(SECOND + 1, SECOND)).toBeUndefined();
    document.publishedAt = SECOND + 1;
    expect(document.onlyPeer(2 * SECOND, SECOND)).toBeDefined();
  });

  test('P12.16 everybody gets something now and then, whatever the two say: a hello may have been lost', () => {
    const document = openChannel();
    document.heard('b', 0);
    document.greeted('b', 7);
    for (let now = 0; now <= 10 * SECOND; now += SECOND / 2) {
      document.heard('b', now);
      expect(document.onlyPeer(now, SECOND)).toBeDefined();
    }
    expect(document.onlyPeer(10 * SECOND + 1, SECOND)).toBeUndefined();
  });
});

test('P12.2 whoever has spoken since a message that reached nobody is there', () => {
  const document = openChannel();
  document.heard('b', 1);
  document.heard('c', 5);
  document.nobodyHeard(3);
  expect([document.hasPeers, document.authorsOf('b'), document.authorsOf('c') !== undefined]).toEqual([
    true,
    undefined,
    true,
  ]);
  document.nobodyHeard(6);
  expect(document.hasPeers).toBe(false);
});
