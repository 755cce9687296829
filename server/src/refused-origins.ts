import type { Logger } from '@weft/common';

const MAX_TOLD = 100;

/** The name of an option is no secret, and whoever looks into a browser's network log can do something with it. */
export const REFUSED_ORIGIN_HINT = ' WEFT_ALLOWED_ORIGINS of the server names those that may.';

/** Browsers keep from a page, and from its author, why it may not connect: the log has to say it, once for each. */
export class RefusedOrigins {
  private readonly logger: Logger;
  private readonly told = new Set<string>();

  constructor(logger: Logger) {
    this.logger = logger;
  }

  tell(origin: string): void {
    if (this.told.has(origin) || this.told.size >= MAX_TOLD) return;
    this.told.add(origin);
    this.logger.warn(
      { origin },
      'a page of this origin was refused; WEFT_ALLOWED_ORIGINS lets its pages connect',
    );
  }
}
