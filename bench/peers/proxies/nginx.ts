import { writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { Child } from '../../support/child.ts';
import { packageVersion } from '../../support/machine.ts';
import { freePorts, portOpen } from '../../support/ports.ts';
import { removeScratchFolder, scratchFolder } from '../../support/scratch.ts';
import type { ProxyPeer, ProxyServer } from './proxy-server.ts';

/** Requests that nginx takes on a connection, and makes on one: its defaults would close them within a second of load. */
const ALL_REQUESTS = 1_000_000_000;

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

async function start(name: string, port: number, http: (folder: string) => string): Promise<ProxyServer> {
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

/** The origin of all proxies: files of 1 KB and of 10 MB, so that it is never what is measured; and it swallows bodies. */
export async function startOrigin(): Promise<ProxyServer> {
  const [port] = (await freePorts(1)) as [number];
  return start('origin', port, (folder) => {
    writeFileSync(join(folder, 'kilobyte'), 'k'.repeat(1024));
    writeFileSync(join(folder, 'large'), Buffer.alloc(10 * 1024 * 1024, 'l'));
    return `
  sendfile on;
  open_file_cache max=10;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    root ${folder};
  }`;
  });
}

/** nginx as a reverse proxy, with connections to the origin kept open. */
export const nginxProxy: ProxyPeer = {
  name: 'nginx',
  missing: () => (packageVersion('nginx-light') === null ? 'apt-get install nginx-light' : null),
  async start(originPort) {
    const [port] = (await freePorts(1)) as [number];
    return start(
      'nginx',
      port,
      () => `
  upstream origin { server 127.0.0.1:${originPort}; keepalive 256; keepalive_requests ${ALL_REQUESTS}; }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / { proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }`,
    );
  },
};
