import { strongestOf, type Role } from '@weft/authorize';
import { matchesPattern, WeftError, type Principal } from '@weft/common';
import type { DocumentRow } from '@weft/update-log';
import type { App } from '../http/bare-app.ts';
import { hasScope } from '../scopes.ts';
import type { Services } from '../services.ts';
import {
  accessTo,
  decideAndAct,
  isAdmin,
  requireDocument,
  requireManage,
  requireRename,
  requireSeen,
} from './access.ts';
import type { ApiContext } from './context.ts';
import {
  ChangeDocumentBody,
  CreateDocumentBody,
  Document,
  DocumentPage,
  DocumentParameters,
  Refusals,
  NoContent,
  Page,
} from './schemas.ts';

const tags = ['documents'];

export function documentRoutes(app: App, { services, administration }: ApiContext): void {
  app.get(
    '/documents',
    {
      schema: {
        tags,
        operationId: 'listDocuments',
        summary: 'The documents you may see, by name',
        querystring: Page,
        response: { 200: DocumentPage, ...Refusals },
      },
    },
    async ({ principal, query: { limit = 100, after } }) => list(services, principal, { limit, after }),
  );

  app.get(
    '/documents/:name',
    {
      schema: {
        tags,
        operationId: 'getDocument',
        summary: 'One document',
        params: DocumentParameters,
        response: { 200: Document, ...Refusals },
      },
    },
    async ({ principal, params }) => {
      const access = await accessTo(services, principal, params.name);
      requireSeen(access);
      return present(await requireDocument(services, access), access.role);
    },
  );

  app.put(
    '/documents/:name',
    {
      // A document needs no settings, and so the request no body.
      preValidation: async (request) => {
        request.body ??= {};
      },
      schema: {
        tags,
        operationId: 'createDocument',
        summary: 'Create a document; you become its owner',
        params: DocumentParameters,
        body: CreateDocumentBody,
        response: { 201: Document, ...Refusals },
      },
    },
    async ({ principal, params, body }, reply) => {
      const { key } = await accessTo(services, principal, params.name);
      requireCreate(services, principal);
      const settings = { ...body, mode: body.mode ?? services.config.defaultMode };
      const document = await administration.createDocument(principal, key, settings);
      const { role } = await services.gate.resolve(principal, key);
      return reply.code(201).send(present(document, role));
    },
  );

  app.patch(
    '/documents/:name',
    {
      schema: {
        tags,
        operationId: 'changeDocument',
        summary: 'Change title or mode',
        params: DocumentParameters,
        body: ChangeDocumentBody,
        response: { 200: Document, ...Refusals },
      },
    },
    async ({ principal, params, body }) => {
      const decide = async () => {
        const access = await accessTo(services, principal, params.name);
        if (body.mode === undefined) requireRename(access);
        else requireManage(access);
        return access;
      };
      return decideAndAct(decide, async (access) => {
        const document = await administration.changeDocument(principal, access, body);
        // The mode is read when a document is opened.
        if (body.mode !== undefined)
          await services.collaboration.closeDocument(access.key, 'document-reload');
        return present(document, access.role);
      });
    },
  );

  app.delete(
    '/documents/:name',
    {
      schema: {
        tags,
        operationId: 'deleteDocument',
        summary: 'Delete a document with its history',
        params: DocumentParameters,
        response: { 204: NoContent, ...Refusals },
      },
    },
    async ({ principal, params }, reply) => {
      const decide = async () => {
        const access = await accessTo(services, principal, params.name);
        requireManage(access);
        return access;
      };
      await decideAndAct(decide, async (access) => {
        await administration.deleteDocument(principal, access);
        await services.collaboration.closeDocument(access.key, 'document-deleted');
      });
      return reply.code(204).send(null);
    },
  );
}

function requireCreate({ config }: Services, principal: Principal): void {
  if (config.createDocuments === 'anyone' || isAdmin(principal)) return;
  if (!hasScope(principal, 'create')) throw new WeftError('forbidden');
}

interface PageOptions {
  readonly limit: number;
  readonly after: string | undefined;
}

async function list(services: Services, principal: Principal, { limit, after }: PageOptions) {
  const reaching = await services.gate.visible(principal);
  const patterns = reaching.map(({ pattern }) => pattern);
  const visible = isAdmin(principal)
    ? undefined
    : {
        names: patterns.filter((pattern) => !pattern.endsWith('*')),
        prefixes: patterns.filter((pattern) => pattern.endsWith('*')).map((pattern) => pattern.slice(0, -1)),
      };
  const rows = await services.documents.list(services.pool, principal.tenant, { limit, after, visible });
  const documents = rows.map((row) => {
    const roles = reaching.filter(({ pattern }) => matchesPattern(pattern, row.name)).map(({ role }) => role);
    return present(row, strongestOf(roles));
  });
  const last = rows.at(-1);
  return rows.length === limit && last ? { documents, next: last.name } : { documents };
}

function present(
  { name, title, mode, createdBy, createdAt, updatedAt }: DocumentRow,
  role: Role | undefined,
) {
  return {
    name,
    title: title ?? name,
    role: role?.name ?? null,
    mode,
    createdBy,
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  };
}
