import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { WebSocketServer } from 'ws';
import { ServerProcess } from '../support/server-process.ts';
import { findChromium } from './browser/find-chromium.ts';
import { launchChromium } from './browser/launch.ts';

const CHROMIUM = findChromium();
const WITH_CHROMIUM = { skip: CHROMIUM === null ? 'there is no Chromium on PATH' : false };
const CLIENT = createRequire(import.meta.url).resolve('sockjs-client/dist/sockjs.min.js');

let browser: Browser;
let page: Page;
let server: ServerProcess;
const closing: (() => void)[] = [];

/** Opens an HTTP server, and says where. */
async function serve(listener: RequestListener): Promise<{ readonly url: string; readonly port: number }> {
  const http = createServer(listener);
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  closing.push(() => {
    http.close();
    http.closeAllConnections();
  });
  const { port } = http.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, port };
}

before(async () => {
  if (CHROMIUM === null) return;
  const sockets = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(sockets, 'listening');
  sockets.on('connection', (socket) => {
    socket.on('message', (data) => {
      if (String(data) === 'bye') socket.close(4001, 'so long');
      else socket.send(`echo ${data}`);
    });
  });
  closing.push(() => {
    for (const socket of sockets.clients) socket.terminate();
    sockets.close();
  });
  const api = await serve((request, response) => {
    if (request.method === 'OPTIONS') response.writeHead(405).end();
    else
      response.writeHead(200, { 'X-Method': request.method }).end(`{"cookie":"${request.headers.cookie}"}`);
  });
  const script = await readFile(CLIENT);
  const pages = await serve((request, response) => {
    if (request.url === '/sockjs.js') response.end(script);
    else response.writeHead(200, { 'Content-Type': 'text/html' }).end('<script src="/sockjs.js"></script>');
  });
  server = await ServerProcess.start({
    config: `
workers: 2
upstreams:
  sockets: { targets: [{ url: 'http://127.0.0.1:${(sockets.address() as AddressInfo).port}' }] }
  api: { targets: [{ url: '${api.url}' }] }
routes:
  chat:
    match: { path: '/chat/*' }
    upstream: sockets
    sockjs: { path: /chat, clientUrl: '${pages.url}/sockjs.js' }
  api: { match: { path: '/api' }, upstream: api, crossOrigin: { jsonp: {} } }
`,
  });
  browser = await launchChromium(CHROMIUM);
  page = await browser.newPage();
  await page.goto(`${pages.url}/page`);
});

after(async () => {
  await browser?.close();
  await server?.remove();
  for (const close of closing) close();
});

/** What a page hears of an echo and of the end, by one transport of the library. */
const TALK = `([url, transport]) => new Promise((resolve) => {
  const heard = [];
  const socket = new SockJS(url, null, { transports: [transport] });
  socket.onopen = () => { heard.push(socket.transport); socket.send('h\\u00e9\\u2028llo \\ud83d\\ude00'); };
  socket.onmessage = ({ data }) => { heard.push(data); socket.send('bye'); };
  socket.onclose = ({ code, reason }) => { heard.push(code + ' ' + reason); resolve(heard); };
})`;

for (const transport of [
  'websocket',
  'xhr-streaming',
  'eventsource',
  'xhr-polling',
  'jsonp-polling',
  'iframe-eventsource',
  'iframe-htmlfile',
  'iframe-xhr-polling',
]) {
  test(
    `a page of another origin speaks with a WebSocket origin by SockJS (${transport})`,
    WITH_CHROMIUM,
    async () => {
      const heard = await page.evaluate(`(${TALK})(${JSON.stringify([`${server.url}/chat`, transport])})`);
      assert.deepEqual(heard, [transport, 'echo h\u00e9\u2028llo \u{1f600}', '4001 so long']);
    },
  );
}

test(
  'a page of another origin asks with any method, fields and cookies, and reads the answer',
  WITH_CHROMIUM,
  async () => {
    await page.context().addCookies([{ name: 'own', value: '1', url: server.url }]);
    const asked = await page.evaluate(async (url) => {
      const response = await fetch(url, { method: 'PUT', headers: { 'X-Any': '1' }, credentials: 'include' });
      return [response.headers.get('x-method'), await response.json()];
    }, `${server.url}/api`);
    assert.deepEqual(asked, ['PUT', { cookie: 'own=1' }]);
  },
);

test('a page of another origin loads an answer as a script', WITH_CHROMIUM, async () => {
  const url = `${server.url}/api?callback=taken&_method=DELETE`;
  const called = await page.evaluate(`new Promise((resolve) => {
    globalThis.taken = resolve;
    const script = document.createElement('script');
    script.src = ${JSON.stringify(url)};
    document.head.append(script);
  })`);
  const { code, body, headers } = called as { code: number; body: string; headers: Record<string, string> };
  assert.deepEqual([code, JSON.parse(body), headers['X-Method']], [200, { cookie: 'own=1' }, 'DELETE']);
});
