import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { siteConfiguration } from './load-balancer.ts';

const shipped = readFileSync(join(import.meta.dirname, '../../docker/nginx/weft.conf'), 'utf8');

test('P8.7 the local cluster has the load balancer that is shipped, with its own addresses', () => {
  const local = siteConfiguration(shipped, { port: 8099, instances: [4001, 4002] });
  expect(local.match(/server 127\.0\.0\.1:\d+ max_fails=0;/g)).toEqual([
    'server 127.0.0.1:4001 max_fails=0;',
    'server 127.0.0.1:4002 max_fails=0;',
  ]);
  expect(local).toContain('listen 127.0.0.1:8099;');
  expect(local).not.toContain('10.77.');
  const withoutAddresses = (text: string) => text.replaceAll(/ *(server|listen) [^;{]+;\n/g, '');
  expect(withoutAddresses(local)).toBe(withoutAddresses(shipped));
});

test('P8.7 no client is tied to an instance', () => {
  expect(shipped).not.toMatch(/ip_hash|sticky|\bhash\s/);
});

test('P8.7 a shipped configuration that cannot be adapted is noticed', () => {
  expect(() => siteConfiguration('server { listen 80; }', { port: 1, instances: [2] })).toThrow(/upstream/);
});
