import { isSubject, type Grant as StoredGrant } from '@weft/authorize';
import { nameOf, tenantOf, WeftError, type DocumentKey } from '@weft/common';
import type { App } from '../http/app.ts';
import { accessTo, requireDocument, requireManage } from './access.ts';
import type { ApiContext } from './routes.ts';
import {
  DocumentParameters,
  ErrorBody,
  Grant,
  GrantList,
  GrantParameters,
  NoContent,
  PutGrantBody,
} from './schemas.ts';

const tags = ['grants'];

export function grantRoutes(app: App, { services, administration }: ApiContext): void {
  const changed = (key: DocumentKey) =>
    services.collaboration.accessChanged({ tenant: tenantOf(key), pattern: nameOf(key) });

  app.get(
    '/documents/:name/grants',
    {
      schema: {
        tags,
        summary: 'Who has which role on the document',
        params: DocumentParameters,
        response: { 200: GrantList, '4xx': ErrorBody },
      },
    },
    async ({ principal, params }) => {
      const access = await accessTo(services, principal, params.name);
      requireManage(access);
      await requireDocument(services, access);
      const grants = await services.grants.list(access.key);
      return { grants: grants.map(present) };
    },
  );

  app.put(
    '/documents/:name/grants/:subject',
    {
      schema: {
        tags,
        summary: 'Give a subject a role, in place of the one it had',
        params: GrantParameters,
        body: PutGrantBody,
        response: { 200: Grant, '4xx': ErrorBody },
      },
    },
    async ({ principal, params, body: { role, expiresAt } }) => {
      const access = await accessTo(services, principal, params.name);
      requireManage(access);
      await requireDocument(services, access);
      const grant = await administration.putGrant(principal, access.key, {
        subject: params.subject,
        role,
        expiresAt: expiresAt ? Date.parse(expiresAt) : undefined,
      });
      changed(access.key);
      return present(grant);
    },
  );

  app.delete(
    '/documents/:name/grants/:subject',
    {
      schema: {
        tags,
        summary: 'Take a role away; done when no update of that subject can be saved any more',
        params: GrantParameters,
        response: { 204: NoContent, '4xx': ErrorBody },
      },
    },
    async ({ principal, params }, reply) => {
      const access = await accessTo(services, principal, params.name);
      requireManage(access);
      if (!isSubject(params.subject)) throw new WeftError('subject-invalid');
      await requireDocument(services, access);
      // A grant that is not there is what was asked for, so that a retry succeeds.
      await administration.removeGrant(principal, access.key, params.subject);
      changed(access.key);
      return reply.code(204).send(null);
    },
  );
}

function present({ subject, role, expiresAt, createdBy, createdAt }: StoredGrant) {
  return {
    subject,
    role,
    expiresAt: expiresAt === undefined ? null : new Date(expiresAt).toISOString(),
    createdBy,
    createdAt: new Date(createdAt).toISOString(),
  };
}
