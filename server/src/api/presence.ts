import type { App } from '../http/bare-app.ts';
import { accessTo, requireDocument, requireSeen } from './access.ts';
import { defined } from './defined.ts';
import type { ApiContext } from './context.ts';
import { DocumentParameters, Refusals, PresenceList } from './schemas.ts';

export function presenceRoutes(app: App, { services }: ApiContext): void {
  app.get(
    '/documents/:name/presence',
    {
      schema: {
        tags: ['presence'],
        operationId: 'listPresence',
        summary: 'Who has the document open, on whatever instance',
        params: DocumentParameters,
        response: { 200: PresenceList, ...Refusals },
      },
    },
    async ({ principal, params }) => {
      const access = await accessTo(services, principal, params.name);
      requireSeen(access);
      await requireDocument(services, access);
      const entries = await services.collaboration.presence(access.key);
      return {
        presence: entries.map((entry) => ({ ...defined(entry), since: new Date(entry.since).toISOString() })),
      };
    },
  );
}
