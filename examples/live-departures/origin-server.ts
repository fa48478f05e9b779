import { hash } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { boardAt, readAirports } from './departures/index.ts';

const PAGE_FOLDER = join(import.meta.dirname, 'page');
const MEDIA_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

export interface OriginOptions {
  /** 0 takes any free port. */
  readonly port: number;
  /** The minute after midnight that the boards show. */
  readonly minute: () => number;
  /** How many follow a board, for those who ask; null if it is not known. */
  readonly viewers: () => Promise<number | null>;
}

export interface Origin {
  readonly url: string;
  /** How often it was asked for a board. */
  readonly requests: number;
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** An API as there are many, and the page that shows it, on loopback. It knows neither the gateway nor streams. */
export async function startOrigin({ port, minute, viewers }: OriginOptions): Promise<Origin> {
  const airports = await readAirports();
  let requests = 0;

  const departures = (url: URL): Answer => {
    requests++;
    const airport = airports.get(url.searchParams.get('airport') ?? '');
    if (airport === undefined) return json(404, { error: 'Such an airport is not known here.' }, 'no-cache');
    return json(200, boardAt(airport, minute()), 'no-cache');
  };
  // A fixed list instead of paths out of requests: nothing else of the disk can be asked for.
  const resources: Record<string, (url: URL) => Answer | Promise<Answer>> = {
    '/api/departures': departures,
    '/api/airports': () =>
      json(
        200,
        [...airports.values()].map(({ code, city }) => ({ code, city })),
        'max-age=60',
      ),
    '/api/requests': async () => json(200, { requests, viewers: await viewers() }, 'max-age=1'),
  };
  for (const name of readdirSync(PAGE_FOLDER)) resources[`/${name}`] = () => pageFile(name);
  resources['/'] = resources['/index.html'];

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const known = Object.hasOwn(resources, url.pathname) && request.method === 'GET';
    const { status, headers, body } = known
      ? await resources[url.pathname](url)
      : json(404, { error: 'There is nothing here.' }, 'no-cache');
    const tag = `"${hash('sha256', body, 'base64url').slice(0, 22)}"`;
    const isKnown = status === 200 && request.headers['if-none-match'] === tag;
    response.writeHead(isKnown ? 304 : status, { ...headers, etag: tag }).end(isKnown ? undefined : body);
  };
  const server = createServer((request, response) => {
    answer(request, response).catch((error: Error) => {
      process.stderr.write(`${request.url}: ${error.message}\n`);
      response.writeHead(500).end();
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get requests() {
      return requests;
    },
    close: async () => {
      if (!server.listening) return;
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function json(status: number, value: unknown, caching: string): Answer {
  const headers = { 'content-type': 'application/json', 'cache-control': caching };
  return { status, headers, body: JSON.stringify(value) };
}

async function pageFile(name: string): Promise<Answer> {
  const headers = {
    'content-type': MEDIA_TYPES[extname(name)],
    'cache-control': 'no-cache',
    'content-security-policy': "default-src 'self'",
    'x-content-type-options': 'nosniff',
  };
  return { status: 200, headers, body: await readFile(join(PAGE_FOLDER, name), 'utf8') };
}
