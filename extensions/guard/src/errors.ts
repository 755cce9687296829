import { WeftError } from '@weft/common';

export function malformed(detail: string): WeftError {
  return new WeftError('update-malformed', { detail });
}

export function costly(detail: string): WeftError {
  return new WeftError('update-costly', { detail });
}
