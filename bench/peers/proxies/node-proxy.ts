import { Agent, createServer } from 'node:http';
import { createRequire } from 'node:module';

/*
 * Two proxies made of npm packages: http-proxy with an agent that keeps connections, and @fastify/http-proxy, whose client is undici, or
 * node:http2 if it is to speak HTTP/2.
 * Arguments: which of them, the port, the port of the origin, and the protocol to speak with it.
 */

const [kind, port, originPort, upstream] = process.argv.slice(2);
const target = `http://127.0.0.1:${originPort}`;
const require = createRequire(import.meta.url);

if (kind === 'http-proxy') {
  const { createProxyServer } = require('http-proxy');
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  const proxy = createProxyServer({ target, agent });
  proxy.on('error', (_error: Error, _request: unknown, response: { destroy(): void }) => response.destroy());
  createServer((request, response) => proxy.web(request, response)).listen(Number(port), '127.0.0.1');
} else {
  const fastify = require('fastify')({ bodyLimit: 1_000_000_000 });
  fastify.register(require('@fastify/http-proxy'), {
    upstream: target,
    ...(upstream === 'http2' ? { http2: true } : { undici: { connections: 256, pipelining: 1 } }),
  });
  await fastify.listen({ host: '127.0.0.1', port: Number(port) });
}
