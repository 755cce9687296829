import { onTestFinished } from 'vitest';

/** Closes what a test has opened when it ends, however it ends; the last opened first. */
export function closing<T extends { remove(): unknown } | { close(): unknown }>(opened: T): T {
  onTestFinished(async () => {
    await ('remove' in opened ? opened.remove() : opened.close());
  });
  return opened;
}
