import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import type { FromWorker, ToWorker, WorkerOptions } from './messages.ts';
import { makeWay } from './socket-home.ts';
import { WireServer } from './wire-server.ts';

/** PGlite computes on the thread it lives in: this one. */
async function main(port: NonNullable<typeof parentPort>, options: WorkerOptions): Promise<void> {
  const send = (message: FromWorker) => port.postMessage(message);
  const database = await PGlite.create({ dataDir: options.dataDir });
  const { rows } = await database.query<{ server_version: string }>('SHOW server_version');
  const server = new WireServer({
    session: {
      exec: (exchange, onRawData) =>
        database.runExclusive(() => database.execProtocolRawStream(exchange, { onRawData })),
      ended: (reason) => {
        send({ type: 'ended', reason });
        process.exit(1);
      },
    },
    secret: options.secret,
    idleInTransactionMs: options.idleInTransactionMs,
    parameters: {
      server_version: rows[0]?.server_version ?? '',
      server_encoding: 'UTF8',
      client_encoding: 'UTF8',
      DateStyle: 'ISO, MDY',
      integer_datetimes: 'on',
      standard_conforming_strings: 'on',
      TimeZone: 'UTC',
    },
  });
  const checkpoints = setInterval(() => {
    void checkpoint(database, server, options.checkpointBytes).catch((error: unknown) =>
      send({ type: 'trouble', message: String(error) }),
    );
  }, options.checkpointIntervalMs);

  port.on('message', (message: ToWorker) => {
    if (message.type === 'ping') send({ type: 'pong' });
    else {
      clearInterval(checkpoints);
      void close(database, server).then(
        () => port.close(),
        (error: unknown) => {
          send({ type: 'trouble', message: String(error) });
          port.close();
        },
      );
    }
  });
  if (typeof options.listenAt === 'string') makeWay(options.listenAt);
  send({ type: 'listening', port: await server.listen(options.listenAt) });
}

let checkpointed = 0n;

/**
 * A single-user Postgres never starts a checkpoint by itself: without this the log grows until a clean stop, and
 * a start after `kill -9` replays all of it.
 */
async function checkpoint(database: PGlite, server: WireServer, bytes: number): Promise<void> {
  if (!server.idle) return;
  const { rows } = await database.query<{ at: string }>(
    "SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::text AS at",
  );
  const position = BigInt(rows[0]?.at ?? '0');
  if (checkpointed === 0n) checkpointed = position;
  if (position - checkpointed < BigInt(bytes) || !server.idle) return;
  await database.exec('CHECKPOINT');
  checkpointed = position;
}

async function close(database: PGlite, server: WireServer): Promise<void> {
  await server.close();
  await database.close();
}

if (parentPort) await main(parentPort, workerData as WorkerOptions);
