import { ERRORS, type ErrorCode, toWeftError } from './errors.ts';

/**
 * What a hook throws to make a stock Hocuspocus refuse: it reads the numeric close `code` and the `reason` off
 * whatever was thrown, as own properties. The reason is the error's code of the table, so that clients can
 * tell refusals apart.
 */
export class HookRefusal extends Error {
  override readonly name = 'HookRefusal';
  readonly code: number;
  readonly reason: ErrorCode;

  constructor(error: unknown) {
    const known = toWeftError(error);
    super(known.message, { cause: error });
    this.code = ERRORS[known.code].close;
    this.reason = known.code;
  }
}
