import { createRequire } from 'node:module';
import { Command, Option } from 'commander';
import { SCOPES } from '../scopes.ts';
import { addCommand, configOf } from './options.ts';

const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };

/** The commands. Each loads its code when it runs: help and mistakes are answered without loading the server. */
export function createProgram(): Command {
  const program = new Command('weft')
    .description('Weft, a collaboration server for shared documents.')
    .version(version)
    .showHelpAfterError('(--help lists the options)')
    .addHelpText('after', examples('weft serve', 'weft check-config', 'weft token --sub alice --name Alice'));
  for (const add of [addServe, addMigrate, addWorker, addRenewEpochs, addToken, addCheckConfig]) add(program);
  return program;
}

function addServe(program: Command): void {
  addCommand(program, 'serve')
    .description('Run an instance of the server.')
    .addHelpText(
      'after',
      examples(
        'weft serve',
        'weft serve --port 3000 --data-dir ~/weft',
        'HOST=0.0.0.0 DATABASE_URL=postgres://db/weft WEFT_JWT_SECRET_FILE=/run/secrets/jwt weft serve',
      ),
    )
    .action(async (_options, command: Command) => {
      // Before the server is loaded: a mistake in the configuration is answered at once.
      const config = configOf(command);
      return (await import('./serve.ts')).serve(config);
    });
}

function addMigrate(program: Command): void {
  addCommand(program, 'migrate')
    .description('Bring the tables up to date. Run it before the instances of a new version.')
    .option('--check', 'only tell whether they are; the exit code is 1 when not')
    .addHelpText('after', examples('weft migrate --database-url postgres://db/weft', 'weft migrate --check'))
    .action(async (_options, command: Command) => (await import('./migrate.ts')).migrateTables(command));
}

function addWorker(program: Command): void {
  addCommand(program, 'worker')
    .description('Make snapshots and remove old rows, beside instances that run with WEFT_COMPACTION=no.')
    .addHelpText(
      'after',
      examples('weft worker --database-url postgres://db/weft', 'weft worker --retention 90d'),
    )
    .action(async (_options, command: Command) => {
      const config = configOf(command, 'maintenance');
      return (await import('./worker.ts')).work(config);
    });
}

function addRenewEpochs(program: Command): void {
  addCommand(program, 'renew-epochs')
    .description('Give every document a new epoch. Part of restoring a database: see docs/OPERATIONS.md.')
    .addHelpText('after', examples('weft renew-epochs --database-url postgres://db/weft'))
    .action(async (_options, command: Command) =>
      (await import('./renew-epochs.ts')).renewAllEpochs(command),
    );
}

function addToken(program: Command): void {
  addCommand(program, 'token')
    .description(
      'Print a token, signed with the shared secret, or that of development mode in the data directory. Public keys cannot sign.',
    )
    .requiredOption('--sub <id>', 'whom the token is for')
    .option('--name <name>', 'name shown to others')
    .option('--color <hex>', 'colour of the cursor, such as #0ea5e9')
    .option('--tenant <name>', 'tenant; default without')
    .option('--group <name...>', 'groups')
    .addOption(
      new Option('--scope <scope...>', 'admin: the management API; create: may create documents').choices(
        SCOPES,
      ),
    )
    .option(
      '--grant <document=role...>',
      'a role on a document, or on prefix* for all that begin so: viewer, commenter, editor, owner, or one that your tenant has defined',
    )
    .option('--expires-in <duration>', 'such as 30m, 12h or 7d', '1h')
    .addHelpText(
      'after',
      examples(
        'weft token --sub alice --name Alice --grant notes=editor',
        'weft token --sub ops --scope admin --expires-in 5m',
        "weft token --sub bot --grant 'reports/*=viewer'",
      ),
    )
    .action(async (_options, command: Command) => (await import('./token.ts')).printToken(command));
}

function addCheckConfig(program: Command): void {
  addCommand(program, 'check-config')
    .description('Read the configuration, list all that is wrong with it, and print what is in force.')
    .addHelpText('after', examples('weft check-config', 'NODE_ENV=production weft check-config'))
    .action(async (_options, command: Command) => (await import('./check-config.ts')).checkConfig(command));
}

function examples(...lines: readonly string[]): string {
  return ['', 'Examples:', ...lines.map((line) => `  $ ${line}`)].join('\n');
}
