import { AuditLog } from '@weft/audit';
import { createTokenVerifier } from '@weft/auth-jwt';
import {
  decideUpdate,
  Gate,
  GrantStore,
  PostgresGrantSource,
  RoleTable,
  TenantRoles,
  TokenGrantSource,
} from '@weft/authorize';
import { WeftError } from '@weft/common';
import { analyzeUpdate } from '@weft/guard';
import { migrate } from '@weft/postgres';
import { DocumentStore, UpdateLog } from '@weft/update-log';
import * as Y from 'yjs';
import { openConfiguredDatabase } from '../database.ts';
import type { Compose } from '../lifecycle.ts';
import { MIGRATION_DIRECTORIES } from '../migrations.ts';

export const composeWithoutGateway: Compose = async (config, { logger, metrics }) => {
  const database = await openConfiguredDatabase(config, logger);
  const { pool } = database;
  const roles = new RoleTable();
  const gate = new Gate({
    sources: [new PostgresGrantSource({ pool, roles }), new TokenGrantSource({ roles })],
  });
  const audit = new AuditLog({ pool });
  const log = new UpdateLog({ pool, instance: config.instanceId, logger });
  return {
    config,
    logger,
    metrics,
    pool,
    verifier: createTokenVerifier({ secret: config.jwtSecret }),
    documents: new DocumentStore(),
    log,
    roles,
    tenantRoles: new TenantRoles({ pool, roles }),
    grants: new GrantStore({ pool, roles }),
    gate,
    audit,
    gateway: {
      handleUpgrade: (_request, socket) => void socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n'),
      drain: async () => {},
      stats: () => ({ connections: 0, sessions: 0, documents: 0 }),
    },
    collaboration: {
      async submitUpdate(principal, key, update) {
        const { role, policyRev } = await gate.resolve(principal, key);
        const { epoch, update: state } = await log.readState(key);
        const document = new Y.Doc();
        Y.applyUpdate(document, state);
        const analysis = analyzeUpdate(document, update);
        const decision = role ? decideUpdate(role, analysis) : undefined;
        if (!decision?.allow) throw new WeftError(decision?.code ?? 'forbidden');
        let seq = 0;
        const open = await log.open(key, {
          committed: (rows) => (seq = rows.at(-1)?.seq ?? seq),
          reauthorize: async (_rev, entries) => entries.map(() => ({ verdict: 'commit' as const })),
          failed: () => {},
        });
        open.append({ update, actor: principal.user, session: 'http', kind: 'edit', policyRev });
        await open.flush();
        await open.close();
        return { epoch, seq };
      },
      presence: async () => [],
      accessChanged: () => {},
      closeDocument: async () => {},
    },
    health: () => ({ status: 'ok', checks: {} }),
    async start() {
      await migrate({ pool, directories: MIGRATION_DIRECTORIES, logger });
      await gate.start();
    },
    async stop() {
      await log.stop();
      await gate.stop();
      await audit.stop();
      await database.close();
    },
  };
};
