import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const SHIPPED = resolve(import.meta.dirname, '../../docker/nginx/weft.conf');

export interface LoadBalancerOptions {
  /** Holds its configuration, its process id and its temporary files. */
  readonly directory: string;
  readonly port: number;
  /** Ports of the instances, all on loopback. */
  readonly instances: readonly number[];
}

/**
 * The configuration that is shipped for containers, with other addresses.
 *
 * @throws Error when the shipped one no longer has what is replaced
 */
export function siteConfiguration(
  shipped: string,
  { port, instances }: Pick<LoadBalancerOptions, 'port' | 'instances'>,
): string {
  const upstream = /( *)server [^;]+ max_fails=0;\n/g;
  const [first] = shipped.match(upstream) ?? [];
  const listen = /listen \d+;/;
  if (!first || !listen.test(shipped))
    throw new Error('The shipped configuration has no upstream or listener.');
  const servers = instances.map((each) => first.replace(/server \S+/, `server 127.0.0.1:${each}`)).join('');
  let replaced = false;
  return shipped
    .replace(upstream, () => {
      if (replaced) return '';
      replaced = true;
      return servers;
    })
    .replace(listen, `listen 127.0.0.1:${port};`);
}

/** nginx that needs no rights and writes nothing outside of the directory. */
export function mainConfiguration(directory: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `  ${name}_temp_path ${join(directory, name)};`,
  );
  return `daemon off;
master_process off;
worker_processes 1;
pid ${join(directory, 'nginx.pid')};
error_log stderr warn;
events { worker_connections 4096; }
http {
  access_log off;
${temporary.join('\n')}
  include ${join(directory, 'weft.conf')};
}
`;
}

/** @returns the path of the configuration for `nginx -c` */
export function writeLoadBalancer(options: LoadBalancerOptions): string {
  const { directory } = options;
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'weft.conf'), siteConfiguration(readFileSync(SHIPPED, 'utf8'), options));
  const path = join(directory, 'nginx.conf');
  writeFileSync(path, mainConfiguration(directory));
  return path;
}
