import { signToken } from '@weft/auth-jwt';
import { isRoleName, MAX_ROLE_NAME, RoleTable } from '@weft/authorize';
import { WeftError } from '@weft/common';
import type { Command } from 'commander';
import { duration } from '../config/values.ts';
import { developmentSecret } from '../development-secret.ts';
import { fail } from './fail.ts';
import { configOf } from './options.ts';

interface TokenOptions {
  readonly sub: string;
  readonly name?: string;
  readonly color?: string;
  readonly tenant?: string;
  readonly group?: string[];
  readonly scope?: string[];
  readonly grant?: string[];
  readonly expiresIn: string;
}

export async function printToken(command: Command): Promise<void> {
  const { sub, name, color, tenant, group, scope, grant, expiresIn } = command.opts<TokenOptions>();
  const { secret, issuer, audience } = await signingOptions(command);
  const lifetime = duration('1s', '3650d').safeParse(expiresIn);
  if (!lifetime.success) fail('--expires-in must be a duration such as 30m, 12h or 7d.');
  try {
    const token = signToken(secret, {
      sub,
      name,
      color,
      tenant,
      groups: group,
      scope: scope?.join(' '),
      grants: grant && grantsOf(grant),
      expiresIn: Math.ceil(lifetime.data / 1_000),
      iss: issuer,
      aud: audience,
    });
    process.stdout.write(`${token}\n`);
  } catch (error) {
    if (!(error instanceof WeftError)) throw error;
    fail(`Such a token would be refused: ${error.detail ?? error.message}.`);
  }
}

async function signingOptions(command: Command) {
  const config = configOf(command, 'maintenance');
  if (config.jwtPublicKey !== undefined || config.jwksUrl !== undefined) {
    fail('A public key verifies tokens and cannot sign them: get one where your tokens are issued.');
  }
  if (config.environment === 'production' && config.jwtSecret === undefined) {
    fail('NODE_ENV=production, and WEFT_JWT_SECRET is not set: there is nothing to sign with.');
  }
  const secret = config.jwtSecret ?? (await developmentSecret(config.dataDir));
  return { secret, issuer: config.jwtIssuer, audience: config.jwtAudience };
}

function grantsOf(grants: readonly string[]): Record<string, string> {
  const roles = new RoleTable();
  return Object.fromEntries(
    grants.map((grant) => {
      // The role is after the last sign: names of documents may contain one.
      const at = grant.lastIndexOf('=');
      if (at < 1 || at === grant.length - 1) fail(`--grant ${grant} is not <document>=<role>.`);
      const role = grant.slice(at + 1);
      if (!isRoleName(role)) fail(`--grant ${grant}: a role has 1 to ${MAX_ROLE_NAME} characters.`);
      if (!roles.get(role)) warnOfOwn(role, roles);
      return [grant.slice(0, at), role];
    }),
  );
}

/** Only the server's database knows the tenant's own roles. One that it doesn't know is no role at all. */
function warnOfOwn(role: string, roles: RoleTable): void {
  process.stderr.write(
    `${role} is not built in (${roles.names().join(', ')}): it gives nothing unless your tenant has defined it by PUT /v1/roles/${encodeURIComponent(role)}.\n`,
  );
}
