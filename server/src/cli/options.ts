import { Option, type Command } from 'commander';
import { ConfigError, loadConfig, type Config, type FlagValues, type Purpose } from '../config.ts';
import { flagOf, OPTION_NAMES, optionOf, type OptionName } from '../config/options.ts';
import { defaultText } from '../config/show.ts';
import { COMMAND_OPTIONS, type CommandName } from './command-options.ts';
import { fail } from './fail.ts';

/** A command with the options that it reads, grouped, and where else each can be set. */
export function addCommand(program: Command, name: CommandName): Command {
  const command = program.command(name);
  // In the order of the table, in which also the documentation has them.
  const read = new Set<OptionName>(COMMAND_OPTIONS[name]);
  for (const option of OPTION_NAMES) if (read.has(option)) command.addOption(commandOption(option));
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
