import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { ServeGrip } from '@fanoutio/serve-grip/node';
import { WebSocketServer } from 'ws';
import { until } from '../../listeners/lab.ts';
import { freePorts } from '../../support/ports.ts';
import { ServerProcess } from '../../support/server-process.ts';
import { SockJsClient, TRANSPORTS } from './sockjs-client.ts';

/** What is used of an Express application, which brings no types. */
type Application = RequestListener & {
  use(middleware: unknown): void;
  post(path: string, handler: (request: IncomingMessage, response: ServerResponse) => void): void;
};
const express = createRequire(import.meta.url)('express') as () => Application;

/** What is used of the library's context of a WebSocket over HTTP. */
interface Context {
  isOpening(): boolean;
  accept(): void;
  subscribe(channel: string): void;
  canRecv(): boolean;
  recv(): string | null;
  send(text: string): void;
  close(code?: number): void;
}

const KEY = 'changeme';
const closing: (() => void)[] = [];
/** How clients left, as the origins saw it. */
const left: string[] = [];
let server: ServerProcess;
let gripPort: number;

/** An origin with WebSockets of its own that echoes; with GRIP it says so in control messages and prefixes. */
async function startNative(speaks: 'grip' | 'nothing else'): Promise<number> {
  const sockets = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(sockets, 'listening');
  if (speaks === 'grip') sockets.on('headers', (headers) => headers.push('Sec-WebSocket-Extensions: grip'));
  const prefix = speaks === 'grip' ? 'm:' : '';
  sockets.on('connection', (socket) => {
    if (speaks === 'grip') socket.send('c:{"type":"subscribe","channel":"news"}');
    socket.on('message', (data) => {
      if (String(data) === 'bye') socket.close(4001, 'so long');
      else socket.send(`${prefix}${data}`);
    });
    socket.on('close', (code) => left.push(`${speaks} ${code}`));
  });
  closing.push(() => {
    for (const socket of sockets.clients) socket.terminate();
    sockets.close();
  });
  return (sockets.address() as AddressInfo).port;
}

/** The same as an application of stateless requests. */
async function startOverHttp(): Promise<number> {
  const application = express();
  const grip = { control_uri: 'http://127.0.0.1:1/', key: KEY };
  application.use(new ServeGrip({ grip, gripVerifyKey: KEY, gripProxyRequired: true }));
  application.post('/chat', (request, response) => {
    const context = (request as unknown as { grip: { wsContext: Context } }).grip.wsContext;
    if (context.isOpening()) {
      context.accept();
      context.subscribe('news');
    }
    while (context.canRecv()) {
      const message = context.recv();
      if (message === null || message === 'bye') {
        if (message === null) left.push('over_http 1005');
        context.close(4001);
        break;
      }
      context.send(message);
    }
    response.end();
  });
  const origin = createServer(application);
  origin.listen(0, '127.0.0.1');
  await once(origin, 'listening');
  closing.push(() => {
    origin.close();
    origin.closeAllConnections();
  });
  return (origin.address() as AddressInfo).port;
}

before(async () => {
  [gripPort] = await freePorts(1);
  const [plain, grip, overHttp] = await Promise.all([
    startNative('nothing else'),
    startNative('grip'),
    startOverHttp(),
  ]);
  const target = (port: number): string => `{ targets: [{ url: 'http://127.0.0.1:${port}' }] }`;
  server = await ServerProcess.start({
    config: `
listen: { gripPort: ${gripPort} }
workers: 2
upstreams:
  plain: ${target(plain)}
  grip: ${target(grip)}
  over_http: ${target(overHttp)}
routes:
  plain: { match: { path: '/plain/*' }, upstream: plain, sockjs: { path: /plain } }
  grip: { match: { path: '/grip/*' }, upstream: grip, grip: { key: ${KEY} }, sockjs: { path: /grip } }
  over_http:
    match: { path: '/over_http/*' }
    upstream: over_http
    grip: { key: ${KEY}, websocket: over_http }
    sockjs: { path: /over_http, originPath: /chat }
`,
  });
});

after(async () => {
  await server.remove();
  for (const close of closing) close();
});

async function publish(content: string): Promise<void> {
  const items = [{ channel: 'news', formats: { 'ws-message': { content } } }];
  const published = await fetch(`http://127.0.0.1:${gripPort}/publish/`, {
    method: 'POST',
    body: JSON.stringify({ items }),
  });
  assert.equal(published.status, 200);
  await published.body?.cancel();
}

for (const route of ['plain', 'grip', 'over_http'] as const) {
  for (const transport of TRANSPORTS) {
    test(`sockjs-client by ${transport} speaks with an origin (${route}), in whichever processes its requests arrive`, async () => {
      const client = await SockJsClient.open(`${server.url}/${route}`, transport);
      assert.equal(client.transport, transport);
      client.send('one');
      await client.heard('one');
      const texts = Array.from({ length: 20 }, (_, index) => `${index} \u2028\u{1f600}"\\`);
      for (const text of texts) {
        client.send(text);
        await client.heard(text);
      }
      if (route !== 'plain') {
        await publish('from a channel');
        await client.heard('from a channel');
      }
      client.send('bye');
      const { code, reason } = await client.isClosed();
      assert.equal(code, 4001);
      if (route !== 'over_http') assert.equal(reason, 'so long');
    });

    test(`an origin (${route}) hears that a sockjs-client by ${transport} has left`, async () => {
      const client = await SockJsClient.open(`${server.url}/${route}`, transport);
      client.send('one');
      await client.heard('one');
      left.length = 0;
      client.close();
      const expected = transport === 'websocket' ? / 100[05]$/ : / 1005$/;
      await until(
        () => left.some((text) => expected.test(text)),
        () => `${expected} in ${left.join()}`,
      );
    });
  }
}
