import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';

const FILES: Readonly<Record<string, readonly [name: string, mediaType: string]>> = {
  '/': ['subscribers.html', 'text/html; charset=utf-8'],
  '/subscribers.js': ['subscribers.js', 'text/javascript; charset=utf-8'],
};

/** Serves the page of the subscribers from an origin of its own: the server has to let it in. */
export async function servePageOrigin(
  port: number,
): Promise<{ readonly origin: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    const file = FILES[request.url ?? ''];
    if (file === undefined) {
      response.writeHead(404).end();
      return;
    }
    readFile(join(import.meta.dirname, file[0])).then(
      (body) => response.writeHead(200, { 'content-type': file[1] }).end(body),
      () => response.writeHead(500).end(),
    );
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://127.0.0.1:${port}`,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
