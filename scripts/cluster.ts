/** Starts a whole cluster on this machine, and stops all of it again. */
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { freePort } from '@weft/harness';
import { Cluster } from './cluster/cluster.ts';
import { carryOut, HELP, table } from './cluster/commands.ts';

const USAGE = `npm run cluster -- [--port 8080] [--restart]

  Three instances, a worker, Postgres, Redis and a load balancer on this machine. What they store is
  removed at the end. Options of the server may be set as environment variables.

  --port      of the load balancer; a free one when it is taken
  --restart   start again what ends by itself
`;

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '8080' },
    restart: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const say = (line: string) => console.log(line);

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** In development mode anybody may be an administrator; with a key of your own you make such a token yourself. */
async function statusAddress(url: string): Promise<string> {
  const answer = await fetch(`${url}/dev/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ sub: 'operator', name: 'Operator', scope: 'admin', expiresIn: 86_400 }),
  });
  if (!answer.ok) return `${url}/status (with a token of scope admin)`;
  const { token } = (await answer.json()) as { token: string };
  return `${url}/status#token=${token}`;
}

async function announce(cluster: Cluster): Promise<void> {
  say(`\n${table(cluster.members)}\n`);
  say(`  logs in ${cluster.directory}/log`);
  say(`\n  Open     ${cluster.url}`);
  say(`  Status   ${await statusAddress(cluster.url)}\n`);
  say(`${HELP}\n`);
}

async function main(): Promise<void> {
  if (values.help) return console.log(USAGE);
  const asked = Number(values.port);
  const port = (await isFree(asked)) ? asked : await freePort();
  const cluster = new Cluster({ port, instances: ['a', 'b', 'c'], restart: values.restart, say });
  const quit = (code = 0) => {
    say('\nstopping everything');
    cluster.stop().then(
      () => process.exit(code),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => quit());
  say('starting Postgres, Redis, three instances, a worker and a load balancer');
  try {
    await cluster.start();
    await announce(cluster);
  } catch (error) {
    console.error(error);
    return quit(1);
  }
  const desk = { members: cluster.members, say, quit };
  createInterface({ input: process.stdin }).on('line', (line) => void carryOut(desk, line));
}

await main();
