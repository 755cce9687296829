import type { DocumentKey, Logger, Unsubscribe } from '@weft/common';
import type { PresenceEntry, PresenceListener } from './registry.ts';

/** The subscribers of a registry. One that throws is logged and hurts nobody else. */
export class Listeners {
  private readonly listeners = new Set<PresenceListener>();
  private readonly logger: Logger;

  constructor(logger: Logger) {
    this.logger = logger;
  }

  add(listener: PresenceListener): Unsubscribe {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  joined(entry: PresenceEntry): void {
    this.tell((listener) => listener.joined?.(entry));
  }

  left(entry: PresenceEntry): void {
    this.tell((listener) => listener.left?.(entry));
  }

  clientsGone(document: DocumentKey, clientIds: readonly number[], reapedBy: 'us' | 'another'): void {
    this.tell((listener) => listener.clientsGone?.(document, clientIds, reapedBy));
  }

  private tell(call: (listener: PresenceListener) => void): void {
    for (const listener of this.listeners) {
      try {
        call(listener);
      } catch (error) {
        this.logger.error({ err: error }, 'A presence listener failed');
      }
    }
  }
}
