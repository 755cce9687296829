import { silentLogger } from '@weft/common';
import { migrate, openDatabase } from '@weft/postgres';
import { migrationsDirectory } from '../index.ts';
import { Author, newDocument, Recorder, testLog } from './log.ts';

/**
 * A program for tests: several authors write in one document of the embedded database in the directory given, and each
 * edit is printed when it is acknowledged, until the process is killed.
 */
const [dataDir = ''] = process.argv.slice(2);
const database = await openDatabase({ dataDir, logger: silentLogger });
await migrate({ pool: database.pool, directories: [migrationsDirectory], logger: silentLogger });
const key = await newDocument(database, 'killed');
const log = testLog(database, { syncToDisk: () => database.syncToDisk() });

async function write(name: string): Promise<never> {
  const author = new Author(name);
  const document = await log.open(key, new Recorder());
  for (let edit = 1; ; edit++) {
    document.append(author.next());
    await document.flush();
    process.stdout.write(`${name}:${edit}\n`);
  }
}

await Promise.all(['ada', 'bob', 'cleo', 'dan'].map(write));
