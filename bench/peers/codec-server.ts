import { Buffer } from 'node:buffer';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createNetServer } from 'node:net';
import {
  noMetrics,
  resolveLimits,
  silentLogger,
  systemClock,
} from '../../packages/tidegate/src/kernel/index.ts';
import { type ByteChannelOwner, createHttpListener } from '../../packages/tidegate/src/listeners/index.ts';

/*
 * Three servers of which only the codec differs: Tidegate's listener, node:http, and bare sockets that read no HTTP at all.
 * POST is answered with `ok` when its body has been read, GET begins a stream that never says anything, and GET with
 * Upgrade is switched to such a stream. Arguments: which of them, and the port.
 */

const host = '127.0.0.1';
const [kind, portText] = process.argv.slice(2);
const port = Number(portText);
const STREAM = { 'content-type': 'text/event-stream' };

/** An owner without state, so that only the listener's own memory is measured. */
const silentOwner: ByteChannelOwner = {
  received() {},
  receivedEnd() {},
  drained() {},
  closed() {},
  draining() {},
};

async function serveListener(): Promise<void> {
  const limits = resolveLimits();
  const parts = { limits, clock: systemClock, logger: silentLogger, metrics: noMetrics };
  await createHttpListener({ host, port, ...parts }, (exchange) => {
    const { method, headers, body } = exchange.request;
    if (method === 'POST') {
      const receiver = {
        data() {},
        end: () => exchange.respond(200, {}, 'ok'),
        failed: exchange.fail.bind(exchange),
      };
      body.receive(receiver, 1_000_000);
    } else if (headers.get('upgrade') !== undefined) {
      exchange.upgrade({ upgrade: 'websocket' }, silentOwner);
    } else {
      exchange.stream(200, STREAM, silentOwner, 'chunked');
    }
  });
}

function serveNodeHttp(): void {
  const server = createHttpServer({ keepAliveTimeout: 0 }, (request, response) => {
    if (request.method === 'POST') {
      request.resume();
      request.once('end', () => response.end('ok'));
    } else {
      response.writeHead(200, STREAM).flushHeaders();
    }
  });
  server.on('upgrade', (_request, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    socket.on('error', () => {});
    socket.resume();
  });
  server.listen(port, host);
}

function serveBareSockets(): void {
  const head = Buffer.from('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n');
  createNetServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.write(head));
  }).listen(port, host);
}

if (kind === 'listener') await serveListener();
else if (kind === 'node-http') serveNodeHttp();
else serveBareSockets();
