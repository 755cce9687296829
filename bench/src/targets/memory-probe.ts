/**
 * Loaded into a server (`node --expose-gc --import`) for the memory figures: collects garbage when asked, and
 * tells what is left.
 */
export interface MemoryReport {
  readonly heapUsed: number;
  readonly external: number;
}

process.on('message', (message) => {
  if (message !== 'collect') return;
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  process.send?.({ heapUsed, external } satisfies MemoryReport);
});
process.channel?.unref();
