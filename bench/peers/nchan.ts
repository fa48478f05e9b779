import { writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import type { Certificate } from '../support/certificate.ts';
import { Child } from '../support/child.ts';
import { packageVersion } from '../support/machine.ts';
import {
  blankPayload,
  getRequest,
  postRequest,
  repeated,
  textFrame,
  webSocketHeaders,
  webSocketMask,
} from '../support/payload.ts';
import { freePorts, portOpen } from '../support/ports.ts';
import type { WayIn } from '../support/publisher.ts';
import { removeScratchFolder, scratchFolder } from '../support/scratch.ts';
import type { BenchPeer, BenchServer } from './server.ts';

/** nginx with Nchan, from Debian's `nginx-light` and `libnginx-mod-nchan`: messages in memory, nothing on disk. */
export function nchan(workers: number): BenchPeer {
  return {
    name: nameOf(workers),
    durability: 'none',
    missing: () =>
      packageVersion('libnginx-mod-nchan') === null ? 'apt-get install nginx-light libnginx-mod-nchan' : null,
    start: () => startNchan(workers),
  };
}

const nameOf = (workers: number) => (workers === 1 ? 'nchan' : `nchan-${workers}-workers`);

/** TLS 1.3 alone, and no sessions to resume, so that every handshake is a whole one. */
function tlsDirectives({ certificateFile, keyFile }: Certificate): string {
  return `ssl_certificate ${certificateFile}; ssl_certificate_key ${keyFile}; ssl_protocols TLSv1.3;`;
}

function configuration(folder: string, port: number, workers: number, certificate?: Certificate): string {
  return `
load_module /usr/lib/nginx/modules/ngx_nchan_module.so;
daemon off;
user ${userInfo().username};
worker_processes ${workers};
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
  keepalive_requests 1000000000;
  nchan_shared_memory_size 512M;
  server {
    listen 127.0.0.1:${port}${certificate === undefined ? '' : ' ssl'} backlog=4096;
    ${certificate === undefined ? '' : tlsDirectives(certificate)}
    location = / { return 204; }
    location = /publish { nchan_publisher http websocket; nchan_channel_id bench; }
    location = /subscribe { nchan_subscriber eventsource websocket; nchan_channel_id bench; nchan_subscriber_first_message newest; }
    location = /history/publish { nchan_publisher http; nchan_channel_id history; nchan_message_buffer_length 100000; nchan_message_timeout 1d; }
    location = /history/subscribe { nchan_subscriber eventsource; nchan_channel_id history; }
  }
}
`;
}

/** Starts nginx on a free port. `/publish` and `/subscribe` are the channel to measure; `/history/...` keeps more messages than the default; `/` does nothing. */
export async function startNchan(workers: number, certificate?: Certificate): Promise<BenchServer> {
  const folder = scratchFolder('nchan');
  const [port] = (await freePorts(1)) as [number];
  writeFileSync(join(folder, 'nginx.conf'), configuration(folder, port, workers, certificate));
  const child = new Child('nginx', '/usr/sbin/nginx', [
    '-p',
    folder,
    '-e',
    join(folder, 'error.log'),
    '-c',
    join(folder, 'nginx.conf'),
  ]);
  await child.during(portOpen(port));
  const tls = certificate !== undefined;
  const payload = blankPayload();
  const post = postRequest('/publish', payload, { 'Content-Type': 'text/plain' });
  const singlePosts = (): WayIn => ({
    label: 'single POSTs x 64',
    port,
    connections: 64,
    unit: post,
    answers: 'response',
    tls,
  });
  return {
    name: nameOf(workers),
    version: `nginx ${packageVersion('nginx-light')}, Nchan ${packageVersion('libnginx-mod-nchan')}, ${workers} worker${workers > 1 ? 's' : ''}`,
    durability: 'none',
    pid: child.pid,
    subscribePort: port,
    subscribeRequest: (protocol) =>
      getRequest('/subscribe', protocol === 'sse' ? { Accept: 'text/event-stream' } : webSocketHeaders),
    singlePosts,
    bestWay: () => ({ ...pipelined(port, post), tls }),
    async stop() {
      await child.stop();
      removeScratchFolder(folder);
    },
  };
}

function pipelined(port: number, post: Buffer, connections = 8, depth = 16): WayIn {
  return {
    label: `POSTs, ${depth} pipelined x ${connections}`,
    port,
    connections,
    unit: Buffer.from(repeated(depth, post.toString('latin1')), 'latin1'),
    answers: 'response',
    answersPerUnit: depth,
  };
}

/** Frames over WebSocket; Nchan answers each with a frame that tells of the channel. */
export function nchanWebSocketWay(port: number, connections = 8, frames = 16): WayIn {
  return {
    label: `WebSocket, ${frames} frames x ${connections}`,
    port,
    connections,
    head: Buffer.from(getRequest('/publish', webSocketHeaders)),
    unit: Buffer.concat(Array.from({ length: frames }, () => textFrame(blankPayload()))),
    answers: 'frame',
    answersPerUnit: frames,
    framing: 'websocket',
    mask: webSocketMask,
  };
}
