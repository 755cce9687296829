import type { RedisTarget } from '@weft/redis-backplane';
import type { Config } from './config.ts';
import { parseAddress } from './config/values.ts';

/** Which Redis the configuration means; none for a single instance. */
export function redisTarget(config: Config): RedisTarget | undefined {
  const { redisUrl, redisSentinels = [], redisCluster } = config;
  if (redisUrl === undefined) return undefined;
  if (redisSentinels.length > 0) return sentinelTarget(config, new URL(redisUrl));
  return redisCluster ? clusterTarget(new URL(redisUrl)) : { url: redisUrl };
}

function sentinelTarget(config: Config, url: URL): RedisTarget {
  const { redisSentinels: sentinels = [], redisSentinelPassword: sentinelPassword } = config;
  const database = Number(url.pathname.slice(1));
  return {
    options: {
      sentinels: sentinels.flatMap((each) => parseAddress(each) ?? []),
      name: url.hostname,
      ...credentials(url),
      ...(database > 0 ? { db: database } : {}),
      ...(sentinelPassword ? { sentinelPassword } : {}),
      ...(isEncrypted(url) ? { tls: {}, sentinelTLS: {}, enableTLSForSentinelMode: true } : {}),
    },
  };
}

function clusterTarget(url: URL): RedisTarget {
  const redisOptions = { ...credentials(url), ...(isEncrypted(url) ? { tls: {} } : {}) };
  return {
    cluster: [{ host: url.hostname, port: Number(url.port || '6379') }],
    options: {
      redisOptions,
      // A certificate is made out to a name, not to the address it leads to.
      ...(isEncrypted(url) ? { dnsLookup: (host, callback) => callback(null, host) } : {}),
    },
  };
}

const isEncrypted = ({ protocol }: URL): boolean => protocol === 'rediss:';

function credentials({ username, password }: URL) {
  return {
    ...(username ? { username: decodeURIComponent(username) } : {}),
    ...(password ? { password: decodeURIComponent(password) } : {}),
  };
}
