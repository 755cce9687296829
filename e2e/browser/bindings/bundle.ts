import { fileURLToPath } from 'node:url';
import { build, type Rolldown } from 'vite';

/** The script of the page, in one piece. */
export async function bundlePage(): Promise<string> {
  const result = await build({
    configFile: false,
    logLevel: 'warn',
    build: {
      write: false,
      minify: false,
      rolldownOptions: { input: fileURLToPath(new URL('page.ts', import.meta.url)) },
    },
  });
  const { output } = result as Rolldown.RolldownOutput;
  const [entry, ...others] = output;
  if (others.length > 0)
    throw new Error(`more than one file: ${output.map(({ fileName }) => fileName).join(', ')}`);
  return entry.code;
}
