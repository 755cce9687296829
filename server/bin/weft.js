#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

if (existsSync(resolve(import.meta.dirname, '../dist/main.js'))) await import('../dist/main.js');
else {
  console.error('weft is not built yet. In its directory: npm run build');
  process.exitCode = 1;
}
