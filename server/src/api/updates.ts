import { formatCursor, parseCursor, WeftError, type CommittedUpdate, type Cursor } from '@weft/common';
import { Type } from 'typebox';
import type { App } from '../http/bare-app.ts';
import { accessTo, requireDocument, requireRead } from './access.ts';
import type { ApiContext } from './context.ts';
import {
  DocumentParameters,
  Refusals,
  StateHeaders,
  SubmitUpdateJson,
  Submitted,
  UpdatesPage,
  UpdatesQuery,
} from './schemas.ts';

const tags = ['history'];
const BINARY = 'application/octet-stream';
/** Base64 writes three bytes as four characters; the rest is the JSON around it. */
const jsonBytes = (bytes: number) => Math.ceil(bytes / 3) * 4 + 64;

export function updateRoutes(app: App, { services }: ApiContext): void {
  const { config, log, collaboration } = services;
  app.addContentTypeParser(
    BINARY,
    { parseAs: 'buffer', bodyLimit: config.maxFrame },
    (_request, body, done) => done(null, body),
  );

  app.get(
    '/documents/:name/updates',
    {
      schema: {
        tags,
        operationId: 'readUpdates',
        summary: 'The rows of the log after a cursor, in order and without a gap',
        params: DocumentParameters,
        querystring: UpdatesQuery,
        response: { 200: UpdatesPage, ...Refusals },
      },
    },
    async ({ principal, params, query: { after, limit } }) => {
      const access = await accessTo(services, principal, params.name);
      requireRead(access);
      const page = await log
        .readUpdates(access.key, { after: cursorOf(after), limit })
        .catch(rethrowWithCursors);
      return {
        epoch: page.epoch,
        rows: page.rows.map(presentRow),
        next: formatCursor(page.next),
        head: page.head,
      };
    },
  );

  app.post(
    '/documents/:name/updates',
    {
      bodyLimit: jsonBytes(config.maxFrame),
      schema: {
        tags,
        operationId: 'submitUpdate',
        summary: 'Apply a Yjs update; answered when it is saved',
        params: DocumentParameters,
        body: {
          content: {
            'application/json': { schema: SubmitUpdateJson },
            [BINARY]: { schema: Type.Unknown() },
          },
        },
        response: { 200: Submitted, ...Refusals },
      },
    },
    async ({ principal, params, body }) => {
      const access = await accessTo(services, principal, params.name);
      requireRead(access);
      const cursor = await collaboration.submitUpdate(principal, access.key, updateOf(body, config.maxFrame));
      return { cursor: formatCursor(cursor) };
    },
  );

  app.get(
    '/documents/:name/state',
    {
      schema: {
        tags,
        operationId: 'readState',
        summary: 'The whole document as one Yjs update (v1); its position is in the header Weft-Cursor',
        params: DocumentParameters,
        headers: StateHeaders,
        response: {
          200: {
            description: 'The state.',
            headers: {
              'weft-cursor': { type: 'string', description: 'Its position, <epoch>:<seq>.' },
              etag: { type: 'string', description: 'For If-None-Match.' },
            },
            content: { [BINARY]: { schema: Type.Unsafe<Buffer>({ type: 'string', format: 'binary' }) } },
          },
          304: Type.Null({ description: 'It is the one you have.' }),
          ...Refusals,
        },
      },
    },
    async ({ principal, params, headers }, reply) => {
      const access = await accessTo(services, principal, params.name);
      requireRead(access);
      const { epoch, head } = await requireDocument(services, access);
      reply.header('cache-control', 'private, no-cache');
      // Answered from the document's row: an unchanged document is not put together to be thrown away.
      if (headers['if-none-match'] === etag({ epoch, seq: head })) return reply.code(304).send(null);
      const state = await log.readState(access.key);
      return reply
        .header('weft-cursor', formatCursor(state))
        .header('etag', etag(state))
        .type(BINARY)
        .send(Buffer.from(state.update.buffer, state.update.byteOffset, state.update.byteLength));
    },
  );
}

function cursorOf(text: string | undefined) {
  if (text === undefined) return undefined;
  const cursor = parseCursor(text);
  if (!cursor) throw new WeftError('bad-request', { detail: 'after is not <epoch>:<seq>' });
  return cursor;
}

/** A lost position comes with the newest and the snapshot's, written as this API writes cursors. */
function rethrowWithCursors(error: unknown): never {
  if (!(error instanceof WeftError) || !error.data) throw error;
  const { current, snapshot } = error.data as Record<'current' | 'snapshot', Cursor>;
  const data = { cursor: formatCursor(current), snapshot: formatCursor(snapshot) };
  throw new WeftError(error.code, { cause: error, data });
}

/** Weak: the same content can be written in different bytes, before and after a compaction. */
function etag({ epoch, seq }: { epoch: number; seq: number }): string {
  return `W/"${formatCursor({ epoch, seq })}"`;
}

function updateOf(body: unknown, maxBytes: number): Uint8Array {
  // Without a body nothing says which of the schemas it would have to be of.
  if (body === undefined) throw new WeftError('bad-request', { detail: 'the request has no body' });
  const update = Buffer.isBuffer(body) ? body : decoded((body as { update: string }).update);
  if (update.byteLength > maxBytes) throw new WeftError('frame-too-large');
  return update;
}

/** Node leaves out what is no base64, and would make an update of the rest. */
function decoded(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64') !== text)
    throw new WeftError('bad-request', { detail: 'update is not base64' });
  return bytes;
}

function presentRow({ seq, actor, session, instance, kind, policyRev, at, update }: CommittedUpdate) {
  return {
    seq,
    actor,
    session,
    instance,
    kind,
    policyRev,
    at: at.toISOString(),
    update: Buffer.from(update.buffer, update.byteOffset, update.byteLength).toString('base64'),
  };
}
