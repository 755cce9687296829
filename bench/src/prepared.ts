import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeDocument, type PreparedDocument } from './document.ts';
import type { DocumentFile } from './scenarios/scenario.ts';
import { prepareFromTrace } from './trace.ts';

/** The documents of a run that are there before anybody comes: made when first asked for, kept in files for the generator's process. */
export class PreparedDocuments {
  private readonly directory = mkdtempSync(join(tmpdir(), 'weft-bench-'));
  private readonly made = new Map<string, DocumentFile>();
  private readonly trace: string | undefined;

  /** @param trace a recorded editing session to use for the large document instead of a generated one */
  constructor(trace: string | undefined) {
    this.trace = trace;
  }

  /** A page or two of text that people have worked on. */
  page(): DocumentFile {
    return this.keep('page', () => writeDocument({ operations: 5_000, seed: 3 }));
  }

  /** At least 250,000 operations; generated ones are also at least 1 MB. */
  large(): DocumentFile {
    return this.keep('large', () =>
      this.trace === undefined
        ? writeDocument({ operations: 520_000, seed: 1 })
        : prepareFromTrace(this.trace),
    );
  }

  /** 20 MB, most of it pasted text. */
  huge(): DocumentFile {
    return this.keep('huge', () => writeDocument({ operations: 300_000, pastedBytes: 19_500_000, seed: 2 }));
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  private keep(name: string, make: () => PreparedDocument): DocumentFile {
    const kept = this.made.get(name);
    if (kept) return kept;
    const file = join(this.directory, `${name}.bin`);
    const document = { ...make(), file };
    writeFileSync(file, document.state);
    this.made.set(name, document);
    return document;
  }
}
