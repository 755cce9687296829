import {
  describeUpdate,
  differences,
  documentOf,
  missingFrom,
  openSession,
  until,
  type LogRow,
  type WeftServer,
} from '@weft/harness';
import { expect } from 'vitest';
import * as Y from 'yjs';
import type { Writers } from './writers.ts';

export const bytesOf = (row: LogRow) => new Uint8Array(Buffer.from(row.update, 'base64'));

/** Somebody who may read everything, for looking at what is stored. */
export function reader(server: WeftServer, name: string) {
  return server.as({ sub: 'reader', scope: 'admin', grants: { [name]: 'viewer' } });
}

/** P2: numbered 1, 2, 3 …, and in an order in which no row builds on a later one. */
export function expectGapless(rows: readonly LogRow[]): void {
  expect(rows.map(({ seq }) => seq)).toEqual(rows.map((_, index) => index + 1));
  const document = new Y.Doc();
  for (const row of rows) {
    Y.applyUpdate(document, bytesOf(row));
    const waits = document.store.pendingStructs ?? document.store.pendingDs;
    expect(waits, `row ${row.seq} builds on a later one`).toBeNull();
  }
}

/** P1: the log holds everything that was acknowledged. */
export async function expectLogged(
  server: WeftServer,
  name: string,
  acknowledged: readonly Uint8Array[],
): Promise<LogRow[]> {
  const rows = await reader(server, name).log(name);
  expectGapless(rows);
  const missing = missingFrom(documentOf(...rows.map(bytesOf)), acknowledged);
  expect(missing.map(describeUpdate), `acknowledged updates of ${name} that are not in its log`).toEqual([]);
  return rows;
}

/** Every writer, the log, the merged state and somebody who comes new hold the same document. */
export async function expectAgreement(server: WeftServer, writers: Writers): Promise<LogRow[]> {
  const { name } = writers;
  await until(() => differences(writers.documents()).length === 0, {
    timeout: 20_000,
    interval: 200,
    what: `the writers of ${name} to agree`,
  }).catch((error: unknown) => {
    expect.soft(differences(writers.documents())).toEqual([]);
    throw error;
  });
  const rows = await expectLogged(server, name, writers.acknowledged);
  const fresh = openSession({
    url: server.wsUrl,
    name,
    token: server.token({ sub: 'newcomer', grants: { [name]: 'viewer' } }),
  });
  await fresh.opened();
  const state = await reader(server, name).state(name);
  expect(
    differences({
      ...writers.documents(),
      log: documentOf(...rows.map(bytesOf)),
      state: documentOf(state),
      newcomer: fresh.document,
    }),
  ).toEqual([]);
  fresh.close();
  return rows;
}
