import { appendFileSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { WalSync } from './wal-sync.ts';

let dataDir: string;
let segment: string;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'weft-wal-'));
  mkdirSync(join(dataDir, 'pg_wal'));
  segment = join(dataDir, 'pg_wal', '000000010000000000000001');
  writeFileSync(segment, 'first');
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

/** Counts what is synced, on the class of file handles that Node does not export. */
async function watchSyncs() {
  const file = await open(segment);
  const datasync = vi.spyOn(Object.getPrototypeOf(file) as typeof file, 'datasync');
  await file.close();
  onTestFinished(() => datasync.mockRestore());
  return datasync;
}

const changedAt = (time: number) => utimesSync(segment, new Date(time), new Date(time));

test('P1.1 what was written after the clock was set back is synced too', async () => {
  const datasync = await watchSyncs();
  const wal = new WalSync(dataDir);
  changedAt(Date.now() - 1_000);
  await wal.sync();
  expect(datasync).toHaveBeenCalledTimes(1);
  await wal.sync();
  expect(datasync, 'nothing was written').toHaveBeenCalledTimes(1);

  appendFileSync(segment, 'second');
  changedAt(Date.now() - 3_600_000);
  await wal.sync();
  expect(datasync).toHaveBeenCalledTimes(2);
});

test('P1.1 a write within the same tick of the clock as one that was synced is synced too', async () => {
  const datasync = await watchSyncs();
  const wal = new WalSync(dataDir);
  changedAt(Date.now());
  await wal.sync();
  await wal.sync();
  expect(datasync).toHaveBeenCalledTimes(2);
});
