import type { App } from '../http/bare-app.ts';
import { requireAdmin } from './access.ts';
import type { ApiContext } from './context.ts';
import { Refusals, NoContent, PermissionChangeBody } from './schemas.ts';

const tags = ['grants'];

export function permissionChangeRoutes(app: App, { services, administration }: ApiContext): void {
  app.post(
    '/permission-changes',
    {
      schema: {
        tags,
        operationId: 'announcePermissionChange',
        summary: 'Say that what your permission endpoint answers has changed (scope admin)',
        description:
          'Done when no update of somebody who has lost their rights can be saved any more, on any instance.',
        body: PermissionChangeBody,
        response: { 204: NoContent, ...Refusals },
      },
    },
    async ({ principal, body: { pattern } }, reply) => {
      requireAdmin(principal);
      await administration.announceChange(principal, pattern);
      services.collaboration.accessChanged({ tenant: principal.tenant, pattern });
      return reply.code(204).send(null);
    },
  );
}
