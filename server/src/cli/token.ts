import { signToken } from '@weft/auth-jwt';
import { RoleTable } from '@weft/authorize';
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

/** The server takes what it does not know for no role at all, and whoever has the token would just be refused. */
function notOfTokens(role: string, roles: RoleTable): string {
  return `${role} is no role that a token can give: it is one of ${roles.names().join(', ')}. A role that your tenant has defined is given by PUT /v1/documents/{name}/grants/{subject}.`;
}

function grantsOf(grants: readonly string[]): Record<string, string> {
  const roles = new RoleTable();
  return Object.fromEntries(
    grants.map((grant) => {
      // The role is after the last sign: names of documents may contain one.
      const at = grant.lastIndexOf('=');
      if (at < 1 || at === grant.length - 1) fail(`--grant ${grant} is not <document>=<role>.`);
      const role = grant.slice(at + 1);
      if (!roles.get(role)) fail(notOfTokens(role, roles));
      return [grant.slice(0, at), role];
    }),
  );
}
