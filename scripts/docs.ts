import { writeFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';
import { configDocs } from '../server/src/config/show.ts';
import { errorDocs } from '../server/src/http/errors-docs.ts';

const root = new URL('..', import.meta.url);

/** The documents that are derived from tables in the code, formatted as the repository is. */
export async function generatedDocs(): Promise<{ url: URL; content: string }[]> {
  const documents = { 'docs/CONFIG.md': configDocs(), 'docs/ERRORS.md': errorDocs() };
  return Promise.all(
    Object.entries(documents).map(async ([path, content]) => {
      const url = new URL(path, root);
      const options = await resolveConfig(url);
      return { url, content: await format(content, { ...options, parser: 'markdown' }) };
    }),
  );
}

if (import.meta.main) {
  for (const { url, content } of await generatedDocs()) {
    writeFileSync(url, content);
    console.log(url.pathname);
  }
}
