import { Option, type Command } from 'commander';
import { ConfigError, loadConfig, type Config, type FlagValues, type Purpose } from '../config.ts';
import { flagOf, optionOf, type OptionName, type Section } from '../config/options.ts';
import { defaultText, optionNamesOf } from '../config/show.ts';
import { fail } from './fail.ts';

/** Adds the options of these sections and some besides, grouped, and tells where else each can be set. */
export function addOptions(
  command: Command,
  sections: readonly Section[],
  besides: readonly OptionName[] = [],
): Command {
  for (const name of [...optionNamesOf(sections), ...besides]) command.addOption(commandOption(name));
  return command;
}

function commandOption(name: OptionName): Option {
  const { section, takes, description, env } = optionOf(name);
  const help = `${description} (${env}; default: ${defaultText(name) || 'none'})`;
  return new Option(`${flagOf(name)} <${takes}>`, help).helpGroup(`${section}:`);
}

/** The configuration of a command, or the end of the program with all that is wrong with it. */
export function configOf(command: Command, purpose: Purpose = 'serving'): Config {
  try {
    return loadConfig({ purpose, flags: command.opts<FlagValues>() });
  } catch (error) {
    if (error instanceof ConfigError) fail(error.message);
    throw error;
  }
}
