import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type TestContext } from 'node:test';
import { WebSocket } from 'ws';
import type { RouteOptions } from '../../../src/gateway/options.ts';
import type { Trust } from '../../listeners/lab.ts';
import { type GatewayLab, openGatewayLab, openOrigin, type ScriptedOrigin } from '../lab.ts';

const ALL_FIELDS: Trust = {
  trustedProxies: ['127.0.0.1', '10.0.0.0/8'],
  trustedFields: ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host'],
};
const NOBODY: Trust = { ...ALL_FIELDS, trustedProxies: ['10.0.0.0/8'] };

type Balanced = GatewayLab & { readonly origin: ScriptedOrigin };

/** A gateway whose clients come through load balancers at 127.0.0.1, or so they say. */
async function openBalanced(
  t: TestContext,
  trust: Trust,
  route: Omit<RouteOptions, 'upstream'> = {},
): Promise<Balanced> {
  const origin = await openOrigin(t);
  const lab = await openGatewayLab(t, {
    routes: { all: { ...route, upstream: 'app' } },
    upstreams: { app: { targets: [{ url: origin.url }] } },
    trust,
  });
  return { ...lab, origin };
}

const get = (...fields: readonly string[]): string =>
  ['GET /page HTTP/1.1', 'Host: lb.internal', ...fields, '', ''].join('\r\n');

const client = (address: string): string => `X-Forwarded-For: ${address}`;

const valuesOf = (head: string, name: string): string[] =>
  [...head.matchAll(new RegExp(`^${name}: (.*)$`, 'gim'))].map((match) => match[1].trim());

/** The head that the origin gets for a request with these fields. */
async function headFor(lab: Balanced, ...fields: readonly string[]): Promise<string> {
  const connection = await lab.connect();
  connection.send(get(...fields));
  const asked = await lab.origin.connection();
  const head = await asked.request();
  asked.send('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\ndone');
  await connection.take('done');
  return head;
}

test('the origin gets the way of a request as far as it is trusted, and the proxy behind it', async (t) => {
  const lab = await openBalanced(t, ALL_FIELDS);
  const head = await headFor(
    lab,
    client('203.0.113.9, 192.0.2.1, 2001:db8::7, 10.0.0.2'),
    'X-Forwarded-Proto: https',
    'X-Forwarded-Host: shop.example',
    'Forwarded: for=203.0.113.9',
  );
  // 2001:db8::7 is not trusted: whatever it says of 192.0.2.1 may be invented.
  assert.deepEqual(valuesOf(head, 'x-forwarded-for'), ['2001:db8::7, 10.0.0.2, 127.0.0.1']);
  assert.deepEqual(valuesOf(head, 'x-forwarded-proto'), ['https']);
  assert.deepEqual(valuesOf(head, 'x-forwarded-host'), ['shop.example']);
  assert.deepEqual(valuesOf(head, 'host'), ['shop.example']);
  assert.deepEqual(valuesOf(head, 'forwarded'), [
    'for="[2001:db8::7]";host=shop.example;proto=https, for=10.0.0.2, for=127.0.0.1',
  ]);
});

test('what anybody else says reaches no origin', async (t) => {
  const lab = await openBalanced(t, NOBODY);
  const head = await headFor(
    lab,
    client('192.0.2.1'),
    'X-Forwarded-Proto: https',
    'X-Forwarded-Host: shop.example',
  );
  assert.deepEqual(valuesOf(head, 'x-forwarded-for'), ['127.0.0.1']);
  assert.deepEqual(valuesOf(head, 'x-forwarded-proto'), ['http']);
  assert.deepEqual(valuesOf(head, 'x-forwarded-host'), ['lb.internal']);
  assert.deepEqual(valuesOf(head, 'forwarded'), ['for=127.0.0.1;host=lb.internal;proto=http']);
});

test('hosts and schemes behind one balancer get their own cached answers', async (t) => {
  const lab = await openBalanced(t, ALL_FIELDS, { cache: {} });
  const connection = await lab.connect();
  const askers = ['http://a.example', 'http://b.example', 'https://a.example'];
  const fields = (asker: string): string[] => {
    const { protocol, host } = new URL(asker);
    return [`X-Forwarded-Proto: ${protocol.slice(0, -1)}`, `X-Forwarded-Host: ${host}`, client('192.0.2.1')];
  };
  const origin = { asked: null as Awaited<ReturnType<ScriptedOrigin['connection']>> | null };
  for (const asker of askers) {
    connection.send(get(...fields(asker)));
    origin.asked ??= await lab.origin.connection();
    await origin.asked.request();
    origin.asked.answer(`for ${asker}`, 'Cache-Control: max-age=100\r\n');
    await connection.take(`for ${asker}`);
  }
  for (const asker of askers) {
    connection.send(get(...fields(asker)));
    assert.match(await connection.take(`for ${asker}`), /cache-status: tidegate; hit/i);
  }
  assert.equal(lab.gateway.cache.responses, 3);
  // What is purged is named as clients ask for it.
  lab.gateway.purge([{ url: 'https://a.example/page' }], '', () => {});
  assert.equal(lab.gateway.cache.responses, 2);
});

test('nobody who is not trusted can write the answer that others get', async (t) => {
  const lab = await openBalanced(t, NOBODY, { cache: {} });
  const connection = await lab.connect();
  connection.send(get('X-Forwarded-Host: a.example', 'X-Forwarded-Proto: https'));
  const asked = await lab.origin.connection();
  assert.doesNotMatch(await asked.request(), /a\.example|https/);
  asked.answer('own', 'Cache-Control: max-age=100\r\n');
  await connection.take('own');
  connection.send(get());
  assert.match(await connection.take('own'), /cache-status: tidegate; hit/i);
  assert.equal(lab.gateway.cache.responses, 1);
});

test('routes are matched by the host and the scheme that the client asked for', async (t) => {
  const lab = await openBalanced(t, ALL_FIELDS, { match: { host: 'shop.example', scheme: 'https' } });
  const connection = await lab.connect();
  connection.send(get('X-Forwarded-Host: shop.example'));
  await connection.take('404');
  await connection.take('\r\n\r\n');
  connection.send(get('X-Forwarded-Proto: https'));
  await connection.take('404');
  await connection.take('\r\n\r\n');
  connection.send(get('X-Forwarded-Host: shop.example', 'X-Forwarded-Proto: https'));
  const asked = await lab.origin.connection();
  await asked.request();
  asked.answer('shop');
  await connection.take('shop');
});

/** An origin that answers with its own address. */
async function openNamedOrigin(t: TestContext): Promise<string> {
  const server = createServer((_, response) => response.end(`from ${url};`));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return url;
}

test("a target that is chosen by the client's address stays the client's, whichever balancer it comes through", async (t) => {
  const origins = await Promise.all(Array.from({ length: 4 }, () => openNamedOrigin(t)));
  const lab = await openGatewayLab(t, {
    routes: { all: { upstream: 'app' } },
    upstreams: {
      app: { targets: origins.map((url) => ({ url })), balance: 'hash', hashBy: 'address' },
    },
    trust: ALL_FIELDS,
  });
  const connection = await lab.connect();
  const targetOf = async (way: string): Promise<string> => {
    connection.send(get(client(way)));
    return (await connection.take(';')).split('from ')[1];
  };
  const chosen = new Set<string>();
  for (let at = 1; at <= 16; at++) {
    const target = await targetOf(`192.0.2.${at}`);
    chosen.add(target);
    assert.equal(await targetOf(`203.0.113.7, 192.0.2.${at}, 10.0.0.${at}`), target);
  }
  assert.ok(chosen.size > 1, 'clients are spread over the targets');
});

test('a live route has a value for each host, and tells its variants by the scheme of the client', async (t) => {
  const lab = await openBalanced(t, ALL_FIELDS, { live: { every: '2s' } });
  const connection = await lab.connect();
  connection.send(get('X-Forwarded-Host: a.example', 'X-Forwarded-Proto: https'));
  const asked = await lab.origin.connection();
  await asked.request();
  asked.answer('{}', 'Content-Type: application/json\r\n');
  assert.match(await connection.take('{}'), /link: <wss:\/\/a\.example\/page>/);
  for (const host of ['a.example', 'b.example']) {
    const stream = await lab.connect();
    stream.send(get('Accept: text/event-stream', `X-Forwarded-Host: ${host}`));
    assert.deepEqual(valuesOf(await asked.request(), 'host'), [host]);
    asked.answer(`{"of":"${host}"}`, 'Content-Type: application/json\r\n');
    await stream.take(`{"of":"${host}"}`);
  }
});

test('a WebSocket passes through with where it comes from', async (t) => {
  const lab = await openBalanced(t, ALL_FIELDS);
  const socket = new WebSocket(`ws://127.0.0.1:${lab.listener.port}/page`, {
    headers: { 'x-forwarded-for': '192.0.2.1', 'x-forwarded-proto': 'wss', 'x-forwarded-host': 'a.example' },
  });
  socket.on('error', () => {});
  const answered = once(socket, 'unexpected-response');
  const asked = await lab.origin.connection();
  const head = await asked.request();
  assert.deepEqual(valuesOf(head, 'forwarded'), ['for=192.0.2.1;host=a.example;proto=https, for=127.0.0.1']);
  asked.send('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n');
  await answered;
});
