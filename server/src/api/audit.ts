import { WeftError, type Principal } from '@weft/common';
import type { App } from '../http/bare-app.ts';
import type { Services } from '../services.ts';
import { accessTo, isAdmin, requireManage } from './access.ts';
import { defined } from './defined.ts';
import type { ApiContext } from './context.ts';
import { AuditPage, AuditQuery, Refusals } from './schemas.ts';

export function auditRoutes(app: App, { services }: ApiContext): void {
  app.get(
    '/audit',
    {
      schema: {
        tags: ['audit'],
        operationId: 'listAuditEntries',
        summary:
          'Refusals and administrative acts: of one document for its owners, of the tenant with scope admin',
        querystring: AuditQuery,
        response: { 200: AuditPage, ...Refusals },
      },
    },
    async ({ principal, query }) => {
      await requireAudit(services, principal, query.document);
      const { rows, next } = await services.audit.list({ ...query, tenant: principal.tenant });
      return { entries: rows.map((row) => ({ ...defined(row), at: new Date(row.at).toISOString() })), next };
    },
  );
}

/** The list itself would tell names and people: whoever may not see them gets none of it. */
async function requireAudit(services: Services, principal: Principal, document: string | undefined) {
  if (isAdmin(principal)) return;
  if (document === undefined) throw new WeftError('forbidden');
  requireManage(await accessTo(services, principal, document));
}
