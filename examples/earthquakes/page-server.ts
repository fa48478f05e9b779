import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { readDataSet } from './feed/data-set.ts';

const PAGE_FOLDER = join(import.meta.dirname, 'page');
const MEDIA_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
};

export interface PageServerOptions {
  /** 0 takes any free port. */
  readonly port: number;
  /** The server that the page subscribes to. */
  readonly tidegateUrl: string;
}

export interface PageServer {
  /** Where the page is; its origin must be one of the server's `cors.origins`. */
  readonly url: string;
  close(): Promise<void>;
}

/** Serves the page, the outlines of the continents, and the address of the server, on loopback. */
export async function servePage({ port, tidegateUrl }: PageServerOptions): Promise<PageServer> {
  // A fixed list instead of paths out of requests: nothing else of the disk can be asked for.
  const files: Record<string, () => Promise<string>> = {
    '/settings.json': async () => JSON.stringify({ tidegateUrl }),
    '/world.json': async () => readDataSet('world-110m.json'),
  };
  for (const name of readdirSync(PAGE_FOLDER)) {
    files[`/${name}`] = async () => readFile(join(PAGE_FOLDER, name), 'utf8');
  }
  const headers = {
    'cache-control': 'no-cache',
    'content-security-policy': `default-src 'self'; connect-src 'self' ${tidegateUrl} ${tidegateUrl.replace(/^http/, 'ws')}`,
    'x-content-type-options': 'nosniff',
  };
  const answer = async (target: string, response: ServerResponse): Promise<void> => {
    const { pathname } = new URL(target, 'http://localhost');
    const path = pathname === '/' ? '/index.html' : pathname;
    if (!Object.hasOwn(files, path)) {
      response.writeHead(404, headers).end();
      return;
    }
    const body = await files[path]();
    response.writeHead(200, { ...headers, 'content-type': MEDIA_TYPES[extname(path)] }).end(body);
  };
  const server = createServer((request, response) => {
    answer(request.url ?? '/', response).catch((error: Error) => {
      process.stderr.write(`${request.url}: ${error.message}\n`);
      response.writeHead(500).end();
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
