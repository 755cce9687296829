import type { App } from '../http/bare-app.ts';
import { requireAdmin } from './access.ts';
import { ClusterStatusBody } from './cluster-schemas.ts';
import { defined } from './defined.ts';
import type { ApiContext } from './context.ts';
import { Refusals } from './schemas.ts';

export function clusterRoutes(app: App, { services }: ApiContext): void {
  app.get(
    '/cluster',
    {
      schema: {
        tags: ['cluster'],
        operationId: 'readCluster',
        summary:
          'The instances and what is open on them, with scope admin. Instances are shared by all tenants; documents and people are those of the own tenant.',
        response: { 200: ClusterStatusBody, ...Refusals },
      },
    },
    async ({ principal }) => {
      requireAdmin(principal);
      const { documents, ...rest } = await services.cluster.read(principal.tenant);
      return {
        ...rest,
        documents: documents.map(({ people, ...document }) => ({
          ...document,
          people: people.map((each) => ({ ...defined(each), since: new Date(each.since).toISOString() })),
        })),
      };
    },
  );
}
