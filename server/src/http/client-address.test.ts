import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { clientAddress } from './client-address.ts';

const addressOf = clientAddress(['127.0.0.1']);

/** As what an address counts that a trusted load balancer names. */
const counted = (address: string): string =>
  addressOf({
    headers: { 'x-forwarded-for': address },
    socket: { remoteAddress: '127.0.0.1' },
  } as unknown as IncomingMessage);

test('P7.26 addresses of one IPv6 network count as one, those of another as another', () => {
  expect(counted('2001:db8:1:2::1')).toBe(counted('2001:DB8:1:2:ffff:ffff:ffff:fffe'));
  expect(counted('fe80::1%eth0')).toBe(counted('fe80::2'));
  expect(counted('2001:db8:1:2::1')).not.toBe(counted('2001:db8:1:3::1'));
});

test('P7.26 an IPv4 address counts by itself, however it is written', () => {
  expect(counted('::ffff:192.0.2.1')).toBe(counted('192.0.2.1'));
  expect(counted('::ffff:c000:201')).toBe(counted('192.0.2.1'));
  expect(counted('::ffff:192.0.2.1')).not.toBe(counted('::ffff:192.0.2.2'));
});

test('P7.26 what a load balancer gives that is no address counts by itself', () => {
  expect([counted('somewhere'), counted('elsewhere')]).toEqual(['somewhere', 'elsewhere']);
});
