import { randomUUID } from 'node:crypto';
import { documentKey } from '@weft/common';
import { startRedis, until } from '@weft/harness';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, expect, inject, onTestFinished, test } from 'vitest';
import { PresenceStore } from './presence-store.ts';
import type { PresenceEntry } from './registry.ts';

const LEASE = 150;
const LONG = 60_000;
const here = documentKey('acme', 'here');

let redis: Redis;
let store: PresenceStore;

beforeAll(() => {
  redis = new Redis(inject('redisUrl'));
});
afterAll(() => redis.disconnect());
beforeEach(() => {
  store = new PresenceStore(redis, `${randomUUID()}:`);
});

function bob(instance: string): PresenceEntry {
  const person = { id: 'bob', name: 'Bob', color: '#0ea5e9' };
  return { document: here, connection: 'b1', person, device: undefined, clientIds: [8], since: 1, instance };
}

async function leaseIsOver(): Promise<void> {
  const end = Date.now() + LEASE + 20;
  await until(() => Date.now() > end, { what: 'a lease to end' });
}

test('P6.10 of an instance whose lease ended alone the people are removed', async () => {
  await store.register('a', { lease: LONG, before: '' });
  await store.register('b', { lease: LEASE, before: '' });
  await store.sync('b', [{ entry: bob('b'), present: true }]);
  await leaseIsOver();
  await store.heartbeat('a', LONG);
  expect((await store.reap('a')).left.map(({ person }) => person.id)).toEqual(['bob']);
});

test('P5.7 when all leases have ended at once, Redis stood still: nobody is removed before all could renew', async () => {
  await store.register('a', { lease: LEASE, before: '' });
  await store.register('b', { lease: LEASE, before: '' });
  await store.sync('b', [{ entry: bob('b'), present: true }]);
  await leaseIsOver();
  expect(await store.heartbeat('a', LONG)).toMatchObject({ state: 'alive' });
  expect(await store.reap('a')).toEqual({ left: [], more: false });
  expect(await store.heartbeat('b', LONG)).toMatchObject({ state: 'alive' });
  expect(await store.list(here)).toHaveLength(1);
});

test('P5.7 while Redis has no memory left nobody can renew, and nobody is taken for dead', async () => {
  const full = await startRedis();
  const client = new Redis(full.url);
  onTestFinished(async () => {
    client.disconnect();
    await full.remove();
  });
  const presence = new PresenceStore(client, '');
  await presence.register('a', { lease: LONG, before: '' });
  await presence.register('b', { lease: LEASE, before: '' });
  await presence.sync('b', [{ entry: bob('b'), present: true }]);
  await client.config('SET', 'maxmemory', '1');
  await leaseIsOver();
  await expect(presence.heartbeat('b', LONG)).rejects.toThrow('OOM');
  await expect(presence.reap('a')).rejects.toThrow('OOM');
  await client.config('SET', 'maxmemory', '0');
  expect(await presence.heartbeat('b', LONG)).toMatchObject({ state: 'alive' });
  expect(await presence.list(here)).toHaveLength(1);
});

test('P6.10 what a later incarnation of the same instance has entered is not removed with the earlier', async () => {
  await store.register('a', { lease: LONG, before: '' });
  await store.register('b#1', { lease: LONG, before: '' });
  await store.sync('b#1', [{ entry: bob('b'), present: true }]);
  await store.register('b#2', { lease: LONG, before: 'b#1' });
  await store.sync('b#2', [{ entry: bob('b'), present: true }]);
  expect((await store.reap('a')).left).toEqual([]);
  expect(await store.list(here)).toHaveLength(1);
});

/** What Redis' clock leaves that goes back an hour: all that was written is an hour ahead of it. */
async function clockGoesBack(prefix: string): Promise<void> {
  const HOUR = 3_600_000;
  const leases = `${prefix}{presence}:leases`;
  for (const incarnation of await redis.zrange(leases, 0, -1)) await redis.zincrby(leases, HOUR, incarnation);
  await redis.incrby(`${prefix}{presence}:clock`, HOUR);
  await redis.set(`${prefix}{presence}:quiet`, '1', 'PX', HOUR);
}

test('P6.10 who is dead is removed also when the clock of Redis went back, and nobody else', async () => {
  const prefix = `${randomUUID()}:`;
  store = new PresenceStore(redis, prefix);
  for (const instance of ['a', 'b']) await store.register(instance, { lease: LEASE, before: '' });
  await store.sync('b', [{ entry: bob('b'), present: true }]);
  await store.heartbeat('a', LEASE);
  await clockGoesBack(prefix);
  await store.register('c', { lease: LEASE, before: '' });
  await store.heartbeat('a', LEASE);
  expect(await store.reap('a')).toEqual({ left: [], more: false });
  for (const instance of ['c', 'a']) await store.heartbeat(instance, LONG);
  await leaseIsOver();
  expect((await store.reap('a')).left.map(({ person }) => person.id)).toEqual(['bob']);
  expect(await store.reap('a')).toEqual({ left: [], more: false });
  expect(await store.heartbeat('c', LONG)).toMatchObject({ state: 'alive' });
});

test('P6.10 an incarnation takes away only what it has entered itself', async () => {
  for (const instance of ['a', 'b']) await store.register(instance, { lease: LONG, before: '' });
  await store.sync('b', [{ entry: bob('b'), present: true }]);
  expect(await store.sync('a', [{ entry: bob('a'), present: false }])).toEqual(['']);
  expect(await store.list(here)).toHaveLength(1);
  expect(await store.sync('b', [{ entry: bob('b'), present: false }])).toEqual(['left']);
});

test('P12.17 who was reaped is remembered for an hour', async () => {
  const prefix = `${randomUUID()}:`;
  store = new PresenceStore(redis, prefix);
  const reaped = `${prefix}{presence}:reaped`;
  const minutesAgo = (minutes: number) => Date.now() - minutes * 60_000;
  await redis.zadd(reaped, minutesAgo(61), 'long ago', minutesAgo(59), 'lately');
  await store.register('a', { lease: LONG, before: '' });
  expect(await redis.zrange(reaped, 0, -1)).toEqual(['lately']);
});
