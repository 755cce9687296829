import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findProgram } from './programs.ts';

const run = promisify(execFile);

/** Made out to `localhost`, and trusted by nobody who is not told to. */
export interface Certificate {
  /** For `NODE_EXTRA_CA_CERTS`, too. */
  readonly file: string;
  readonly keyFile: string;
  remove(): Promise<void>;
}

export async function makeCertificate(): Promise<Certificate> {
  const openssl = findProgram('openssl');
  if (!openssl) throw new Error('No openssl here; run `npm run setup`');
  const directory = mkdtempSync(join(tmpdir(), 'weft-certificate-'));
  const [keyFile, file] = [join(directory, 'key.pem'), join(directory, 'certificate.pem')];
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const named = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  await run(openssl, ['req', ...kind, ...named, '-keyout', keyFile, '-out', file]);
  return { file, keyFile, remove: async () => rmSync(directory, { recursive: true, force: true }) };
}
