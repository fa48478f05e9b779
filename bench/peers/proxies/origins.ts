import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Child } from '../../support/child.ts';
import { nativeProgram } from '../../support/native.ts';
import { freePorts } from '../../support/ports.ts';
import { startNginx } from './nginx-process.ts';
import type { ProxyServer } from './proxy-server.ts';

/** An origin that speaks both versions of HTTP, each at a port of its own. */
export interface Origin extends ProxyServer {
  /** Where HTTP/2 is spoken without asking (RFC 9113, section 3.3). */
  readonly http2Port: number;
}

/** nginx with a file of 1 KB. */
export async function startOrigin(): Promise<Origin> {
  const [port, http2Port] = (await freePorts(2)) as [number, number];
  const server = await startNginx('origin', port, (folder) => {
    writeFileSync(join(folder, 'kilobyte'), 'k'.repeat(1024));
    return `
  sendfile on;
  open_file_cache max=10;
  http2_max_concurrent_streams 1024;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    listen 127.0.0.1:${http2Port} http2 backlog=4096;
    root ${folder};
  }`;
  });
  return { ...server, http2Port };
}

/**
 * nginx that answers with the instruction to hold the connection, for the channel that the query names: `/stream` as an event stream,
 * `/response` until there is an answer.
 */
export async function startGripOrigin(): Promise<ProxyServer> {
  const [port] = (await freePorts(1)) as [number];
  return startNginx(
    'origin',
    port,
    () => `
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location /stream { default_type text/event-stream; add_header Grip-Hold stream; add_header Grip-Channel $arg_channel; return 200 ""; }
    location /response { default_type text/plain; add_header Grip-Hold response; add_header Grip-Channel $arg_channel; return 200 ""; }
  }`,
  );
}

/** An origin of long bodies in both directions, in C; see native/bodies.c. */
export async function startBodiesOrigin(bodyBytes: number): Promise<ProxyServer> {
  const [port] = (await freePorts(1)) as [number];
  const child = new Child('bodies', nativeProgram('bodies'), [
    ...['--port', `${port}`, '--bytes', `${bodyBytes}`],
  ]);
  await child.line();
  return { name: 'origin', version: 'an origin in C', port, pid: child.pid, stop: () => child.stop() };
}
