import { globSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';

const REPOSITORY = resolve(import.meta.dirname, '..');
const READMES = [
  'README.md',
  'web-demo/README.md',
  ...globSync('extensions/*/README.md', { cwd: REPOSITORY }),
];

/** What the examples take from the application around them. */
const GIVEN = `
declare const pool: import('pg').Pool;
declare const client: import('pg').PoolClient;
declare const notifications: import('@weft/common').Notifications;
declare const logger: import('@weft/common').Logger;
declare const secret: string, redisUrl: string;
declare const tenant: string, subject: string, role: string, person: string;
declare const mine: import('@hocuspocus/server').Extension;
declare const doc: import('yjs').Doc;
declare const key: import('@weft/common').DocumentKey;
declare const awareness: import('y-protocols/awareness').Awareness;
declare const session: import('@weft/presence').AwarenessSession & string;
declare const update: Uint8Array, body: Uint8Array, bytesOfAnotherInstance: Uint8Array;
declare const actor: string, policyRev: number, epoch: number, seq: number;
declare const committed: import('@weft/update-log').DocumentLogEvents['committed'];
declare const reauthorize: import('@weft/update-log').DocumentLogEvents['reauthorize'];
declare const failed: import('@weft/update-log').DocumentLogEvents['failed'];
declare function askForASync(): void;
declare function mayWrite(person: string, roots: import('@weft/common').UpdateAnalysis['roots']): boolean;
declare function fetchTokenFromYourBackend(): Promise<string>;
declare function adaptToRights(message: unknown): void;
`;

/** Every example as a file beside its README, whence it finds the packages that the reader has. */
function examples(): Map<string, string> {
  const files = new Map<string, string>();
  for (const readme of READMES) {
    const blocks = readFileSync(join(REPOSITORY, readme), 'utf8').matchAll(/```ts\n([\s\S]*?)```/g);
    let number = 0;
    for (const [, code = ''] of blocks) {
      files.set(join(REPOSITORY, dirname(readme), `${basename(readme)}.${++number}.ts`), code);
    }
  }
  return files;
}

/** As a program of people's own is compiled, which has pages and does not mind what is unused. */
function compilerOptions(): ts.CompilerOptions {
  const path = join(REPOSITORY, 'tsconfig.json');
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(path, ts.sys.readFile).config,
    ts.sys,
    REPOSITORY,
  );
  return { ...options, lib: ['lib.es2024.d.ts', 'lib.dom.d.ts'], noUnusedLocals: false };
}

function hostOf(files: ReadonlyMap<string, string>, options: ts.CompilerOptions): ts.CompilerHost {
  const host = ts.createCompilerHost(options);
  const { readFile, fileExists } = host;
  const getSourceFile = host.getSourceFile.bind(host);
  return {
    ...host,
    fileExists: (path) => files.has(path) || fileExists(path),
    readFile: (path) => files.get(path) ?? readFile(path),
    getSourceFile: (path, target, ...rest) => {
      const text = files.get(path);
      return text === undefined
        ? getSourceFile(path, target, ...rest)
        : ts.createSourceFile(path, text, target);
    },
  };
}

test('P10.21 the examples of every README compile as they are shown', { timeout: 60_000 }, () => {
  const shown = examples();
  expect(shown.size).toBeGreaterThan(READMES.length);
  const files = new Map([...shown, [join(REPOSITORY, 'given.d.ts'), GIVEN]]);
  const options = compilerOptions();
  const program = ts.createProgram([...files.keys()], options, hostOf(files, options));
  const problems = [...files.keys()].flatMap((path) => {
    const source = program.getSourceFile(path);
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
  });
  const said = problems.map(
    ({ file, messageText }) => `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
  );
  expect(said).toEqual([]);
});

test('P10.21 whoever installs an extension that speaks of pg has its types', () => {
  const packages = globSync('extensions/*/package.json', { cwd: REPOSITORY })
    .map((path) => JSON.parse(readFileSync(join(REPOSITORY, path), 'utf8')) as { dependencies?: object })
    .filter(({ dependencies = {} }) => 'pg' in dependencies);
  expect(packages.length).toBeGreaterThan(0);
  for (const each of packages) expect(each).toHaveProperty(['dependencies', '@types/pg']);
});
