import type { Role as RoleRights } from '@weft/authorize';
import type { Principal } from '@weft/common';
import type { App } from '../http/bare-app.ts';
import { requireAdmin } from './access.ts';
import type { ApiContext } from './context.ts';
import { Refusals, NoContent, PutRoleBody, Role, RoleList, RoleParameters } from './schemas.ts';

const tags = ['roles'];

export function roleRoutes(app: App, { services, administration }: ApiContext): void {
  const changed = ({ tenant }: Principal) => services.collaboration.accessChanged({ tenant, pattern: '*' });

  app.get(
    '/roles',
    {
      schema: {
        tags,
        operationId: 'listRoles',
        summary: 'The roles there are',
        response: { 200: RoleList, ...Refusals },
      },
    },
    async ({ principal }) => {
      const builtIn = services.roles.names().flatMap((name) => services.roles.get(name) ?? []);
      const own = await services.tenantRoles.list(principal.tenant);
      return { roles: [...builtIn, ...own].map(present) };
    },
  );

  app.put(
    '/roles/:role',
    {
      schema: {
        tags,
        operationId: 'putRole',
        summary: 'Define a role of your tenant (scope admin)',
        params: RoleParameters,
        body: PutRoleBody,
        response: { 200: Role, ...Refusals },
      },
    },
    async ({ principal, params, body }) => {
      requireAdmin(principal);
      const role = { name: params.role, ...body };
      await administration.putRole(principal, role);
      changed(principal);
      return present(role);
    },
  );

  app.delete(
    '/roles/:role',
    {
      schema: {
        tags,
        operationId: 'removeRole',
        summary: 'Remove a role of your tenant (scope admin); whatever names it then gives nothing',
        params: RoleParameters,
        response: { 204: NoContent, ...Refusals },
      },
    },
    async ({ principal, params }, reply) => {
      requireAdmin(principal);
      await administration.removeRole(principal, params.role);
      changed(principal);
      return reply.code(204).send(null);
    },
  );
}

function present({ name, read, presence, write, manage }: RoleRights) {
  return { name, read, presence, write: write === '*' ? write : [...write], manage };
}
