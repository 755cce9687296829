import type { Command } from 'commander';
import { showConfig } from '../config/show.ts';
import { configOf } from './options.ts';

export function checkConfig(command: Command): void {
  const config = configOf(command);
  process.stdout.write(`${showConfig(config)}\n\n`);
  for (const warning of config.warnings) process.stdout.write(`Warning: ${warning}\n`);
  if (config.development) process.stdout.write('Warning: development mode, anybody gets a token.\n');
  process.stdout.write('The configuration is good.\n');
}
