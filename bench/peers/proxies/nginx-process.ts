import { writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { Child } from '../../support/child.ts';
import { packageVersion } from '../../support/machine.ts';
import { portOpen } from '../../support/ports.ts';
import { removeScratchFolder, scratchFolder } from '../../support/scratch.ts';
import type { ProxyServer } from './proxy-server.ts';

/** Requests that nginx takes on a connection, and makes on one: its defaults would close them within a second of load. */
export const ALL_REQUESTS = 1_000_000_000;

function configuration(folder: string, http: string): string {
  return `
daemon off;
user ${userInfo().username};
worker_processes 1;
worker_rlimit_nofile 20000;
pid ${folder}/pid;
error_log ${folder}/error.log error;
events { worker_connections 12000; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  client_max_body_size 0;
  keepalive_requests ${ALL_REQUESTS};
  ${http}
}
`;
}

/**
 * Starts nginx with one worker.
 * @param http the rest of its section `http`; may put files into the folder that it is given
 */
export async function startNginx(
  name: string,
  port: number,
  http: (folder: string) => string,
): Promise<ProxyServer> {
  const folder = scratchFolder(name);
  writeFileSync(join(folder, 'nginx.conf'), configuration(folder, http(folder)));
  const child = new Child(name, '/usr/sbin/nginx', [
    ...['-p', folder, '-e', join(folder, 'error.log'), '-c', join(folder, 'nginx.conf')],
  ]);
  await child.during(portOpen(port));
  return {
    name,
    version: `nginx ${packageVersion('nginx-light')}, 1 worker`,
    port,
    pid: child.pid,
    async stop() {
      await child.stop();
      removeScratchFolder(folder);
    },
  };
}
