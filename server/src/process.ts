import { constants } from 'node:os';
import type { Metrics } from '@weft/common';
import type { Logger } from 'pino';

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

export interface SupervisedProcess {
  readonly logger: Logger;
  /** Drains and stops. @returns whether all was done in time */
  stop(): Promise<boolean>;
}

/**
 * Until there is something to stop, a signal ends the process at once. It would do so by itself, but not in a
 * container: to its first process signals mean nothing unless it handles them, and it could only be killed.
 */
export function endOnSignals(): void {
  for (const signal of SIGNALS) process.on(signal, endAtOnce);
}

function endAtOnce(signal: NodeJS.Signals): void {
  process.exit(128 + constants.signals[signal]);
}

/**
 * Ends the process on SIGTERM and SIGINT, and when its terminal is gone (SIGHUP), with 0 when all was done in time. A
 * second signal does not wait: nothing acknowledged is lost by it, since that is committed. A second SIGHUP is of the same
 * terminal, whose shell and system each send one.
 */
export function stopOnSignals(supervised: SupervisedProcess): void {
  const { logger } = supervised;
  let stopping = false;
  const onSignal = (signal: NodeJS.Signals) => {
    if (stopping && signal === 'SIGHUP') return;
    if (stopping) {
      logger.warn({ signal }, 'stopping at once');
      process.exit(1);
    }
    stopping = true;
    logger.info({ signal }, 'stopping; a second signal stops at once');
    supervised.stop().then(
      (clean) => process.exit(clean ? 0 : 1),
      (error: unknown) => {
        logger.error({ err: error }, 'stopping failed');
        process.exit(1);
      },
    );
  };
  for (const signal of SIGNALS) process.off(signal, endAtOnce).on(signal, onSignal);
}

/**
 * What to do about errors that nobody caught.
 *
 * A rejection that nobody awaits leaves no half-run synchronous code behind, and Hocuspocus lets hooks reject
 * into the void for things that clients do (its `onChange`, `onStateless` and others): ending for it would give
 * everybody a way to end the process. It is logged and counted; an alarm should be on the count. An exception
 * out of an event handler may have left any state half changed. What was acknowledged is in the log, so ending at
 * once and starting afresh is the safe answer.
 */
export function surviveRejections(logger: Logger, metrics: Metrics): void {
  const rejections = metrics.counter(
    'weft_unhandled_rejections_total',
    'Rejections that nobody handled: bugs.',
  );
  process.on('unhandledRejection', (error) => {
    rejections.inc();
    logger.error({ err: error }, 'a rejection was not handled');
  });
  process.on('uncaughtException', (error) => {
    logger.fatal({ err: error }, 'an exception was not caught');
    logger.flush();
    process.exit(1);
  });
}
