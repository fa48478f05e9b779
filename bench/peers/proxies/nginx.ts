import { packageVersion } from '../../support/machine.ts';
import { freePorts } from '../../support/ports.ts';
import { ALL_REQUESTS, startNginx } from './nginx-process.ts';
import type { ProxyPeer } from './proxy-server.ts';

/**
 * nginx as a reverse proxy, with connections to the origin kept open.
 * @param locations what it has in place of one location for everything that passes to the upstream `origin`
 */
export function nginxWith(name: string, locations: string): ProxyPeer {
  return {
    name,
    missing: () => (packageVersion('nginx-light') === null ? 'apt-get install nginx-light' : null),
    async start(originPort) {
      const [port] = (await freePorts(1)) as [number];
      return startNginx(
        name,
        port,
        () => `
  upstream origin { server 127.0.0.1:${originPort}; keepalive 256; keepalive_requests ${ALL_REQUESTS}; }
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  server {
    listen 127.0.0.1:${port} backlog=4096;
    ${locations}
  }`,
      );
    },
  };
}

const EVERYTHING = 'location / { proxy_pass http://origin; }';

export const nginxProxy: ProxyPeer = nginxWith('nginx', EVERYTHING);

/** With bodies passed on as they come. By default it reads requests whole, and answers ahead of their clients, into files. */
export const nginxUnbuffered: ProxyPeer = nginxWith(
  'nginx-unbuffered',
  `proxy_request_buffering off; proxy_buffering off; ${EVERYTHING}`,
);
