#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

// An older one starts, and fails where the first document is closed.
if (!('withResolvers' in Promise)) {
  console.error(
    `weft needs Node 22 or newer, and this is ${process.version}. npx weft runs the one that npm has installed.`,
  );
  process.exitCode = 1;
} else if (existsSync(resolve(import.meta.dirname, '../dist/main.js'))) await import('../dist/main.js');
else {
  console.error('weft is not built yet. In its directory: npm run build');
  process.exitCode = 1;
}
