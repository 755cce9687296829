import { expect, test } from 'vitest';
import { SilentPeers } from './silent-peers.ts';

const HEARTBEAT = 20_000;
const INTERVAL = 1_000;

/** A peer of whom the last message came at 0, looked at every second from then on. */
function watched() {
  const peers = new SilentPeers({ heartbeat: HEARTBEAT, interval: INTERVAL });
  let now = 0;
  const peer = {
    lastReceivedAt: 0,
    bytesRead: 100,
    pings: [] as number[],
    ping: () => void peer.pings.push(now),
    heard: () => void (peer.lastReceivedAt = now),
  };
  const isGoneAt = (at: number) => {
    for (; now < at; now += INTERVAL) if (peers.isGone(peer, now)) return true;
    return peers.isGone(peer, now);
  };
  return { peer, isGoneAt };
}

test('P6.14 a peer that was silent for a heartbeat is asked once, and gone after half of one without an answer', () => {
  const { peer, isGoneAt } = watched();
  expect(isGoneAt(HEARTBEAT - INTERVAL)).toBe(false);
  expect(peer.pings).toEqual([]);
  expect(isGoneAt(HEARTBEAT)).toBe(false);
  expect(isGoneAt(1.5 * HEARTBEAT - INTERVAL)).toBe(false);
  expect(peer.pings).toEqual([HEARTBEAT]);
  expect(isGoneAt(1.5 * HEARTBEAT)).toBe(true);
});

test('P6.14 a peer that answers stays, and is asked again after another silence', () => {
  const { peer, isGoneAt } = watched();
  expect(isGoneAt(HEARTBEAT)).toBe(false);
  peer.lastReceivedAt = HEARTBEAT;
  expect(isGoneAt(2 * HEARTBEAT)).toBe(false);
  expect(peer.pings).toEqual([HEARTBEAT, 2 * HEARTBEAT]);
});

test('P6.14 who says something now and then is not asked', () => {
  const { peer, isGoneAt } = watched();
  for (let at = 18_000; at < 200_000; at += 18_000) {
    expect(isGoneAt(at)).toBe(false);
    peer.lastReceivedAt = at;
  }
  expect(peer.pings).toEqual([]);
});

test('P6.14 who is in the middle of a long message is there', () => {
  const { peer, isGoneAt } = watched();
  for (let at = HEARTBEAT; at <= 10 * HEARTBEAT; at += INTERVAL) {
    expect(isGoneAt(at)).toBe(false);
    peer.bytesRead += 1;
  }
});
