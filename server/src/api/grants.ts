import { isSubject, type Grant as StoredGrant } from '@weft/authorize';
import { nameOf, tenantOf, WeftError, type DocumentKey, type Principal } from '@weft/common';
import type { App } from '../http/bare-app.ts';
import { accessTo, decideAndAct, requireDocument, requireManage } from './access.ts';
import type { ApiContext } from './context.ts';
import {
  DocumentParameters,
  Refusals,
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
  const managed = async (principal: Principal, name: string) => {
    const access = await accessTo(services, principal, name);
    requireManage(access);
    await requireDocument(services, access);
    return access;
  };

  app.get(
    '/documents/:name/grants',
    {
      schema: {
        tags,
        operationId: 'listGrants',
        summary: 'Who has which role on the document',
        params: DocumentParameters,
        response: { 200: GrantList, ...Refusals },
      },
    },
    async ({ principal, params }) => {
      const access = await managed(principal, params.name);
      const grants = await services.grants.list(access.key);
      return { grants: grants.map(present) };
    },
  );

  app.put(
    '/documents/:name/grants/:subject',
    {
      schema: {
        tags,
        operationId: 'putGrant',
        summary: 'Give a subject a role, in place of the one it had',
        params: GrantParameters,
        body: PutGrantBody,
        response: { 200: Grant, ...Refusals },
      },
    },
    async ({ principal, params, body: { role, expiresAt } }) => {
      const settings = {
        subject: params.subject,
        role,
        expiresAt: expiresAt ? millisecondsOf(expiresAt) : undefined,
      };
      return decideAndAct(
        () => managed(principal, params.name),
        async (access) => {
          const grant = await administration.putGrant(principal, access, settings);
          changed(access.key);
          return present(grant);
        },
      );
    },
  );

  app.delete(
    '/documents/:name/grants/:subject',
    {
      schema: {
        tags,
        operationId: 'removeGrant',
        summary: 'Take a role away; done when no update of that subject can be saved any more',
        params: GrantParameters,
        response: { 204: NoContent, ...Refusals },
      },
    },
    async ({ principal, params }, reply) => {
      await decideAndAct(
        () => managed(principal, params.name),
        async (access) => {
          if (!isSubject(params.subject)) throw new WeftError('subject-invalid');
          // A grant that is not there is what was asked for, so that a retry succeeds.
          await administration.removeGrant(principal, access, params.subject);
          changed(access.key);
        },
      );
      return reply.code(204).send(null);
    },
  );
}

/** RFC 3339 has leap seconds and JavaScript's clock, like Unix time, has not: there it is the second that follows. */
function millisecondsOf(timestamp: string): number {
  const known = timestamp.replace(/:60(?=[.Zz+-])/, ':59');
  return Date.parse(known) + (known === timestamp ? 0 : 1_000);
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
