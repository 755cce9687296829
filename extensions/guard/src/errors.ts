import { WeftError } from '@weft/common';

export function malformed(detail: string): WeftError {
  return new WeftError('update-malformed', { detail });
}

export function subdocument(): WeftError {
  return new WeftError('subdocument-forbidden');
}

/** Nothing is wrong with it but that readers and writers of it would recurse too deep. */
export function tooDeep(what: string): WeftError {
  return new WeftError('nested-too-deep', { detail: `${what} nested too deep` });
}

export function costly(detail: string): WeftError {
  return new WeftError('update-costly', { detail });
}

/**
 * Replicas would come to different orders, so this edit can never be taken. But it need not be forged: Yjs' own undo
 * of what was put into a shared type that was deleted with it makes such items, seldom. So it is no offence; the copy
 * that has it has to be given up.
 */
export function disordered(): WeftError {
  return new WeftError('document-rebuild', { detail: 'neighbours that were never side by side' });
}
