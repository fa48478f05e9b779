import assert from 'node:assert/strict';
import test from 'node:test';
import type { HttpExchange } from '../../src/listeners/index.ts';
import { collect, openLab, problemCode, until } from './lab.ts';

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;

test('requests of one connection are handled one at a time and answered in order (RFC 9112, 9.3.2)', async (t) => {
  const waiting: HttpExchange[] = [];
  const lab = await openLab(t, (exchange) => waiting.push(exchange));
  const client = await lab.connect();
  client.send(get('/1') + get('/2') + get('/3'));
  for (const path of ['/1', '/2', '/3']) {
    await until(() => waiting.length === 1);
    const exchange = waiting.pop()!;
    assert.equal(exchange.request.path, path);
    exchange.respond(200, {}, path);
    await client.take(path);
  }
});

test('many pipelined requests are answered in order when each is answered at once', async (t) => {
  const lab = await openLab(t, (exchange) => exchange.respond(200, {}, `<${exchange.request.path}>`));
  const client = await lab.connect();
  const paths = Array.from({ length: 2000 }, (_, index) => `/${index}`);
  client.send(paths.map(get).join(''));
  await client.take('</1999>');
  client.send(paths.map(get).join(''));
  const answers = await client.take('</1999>');
  assert.deepEqual(
    [...answers.matchAll(/<(.*?)>/g)].map(([, path]) => path),
    paths,
  );
});

test('limits.httpPipelinedBytesMax: a client that sends far ahead is not read, and nothing of it is lost', async (t) => {
  let first: HttpExchange | null = null;
  let requests = 0;
  const lab = await openLab(
    t,
    (exchange) => {
      if (++requests > 1) exchange.respond(200, {}, `<${exchange.request.path}>`);
      else first = exchange;
    },
    { httpPipelinedBytesMax: 4096 },
  );
  const client = await lab.connect();
  // More than the buffers of the two systems between us hold.
  const count = 400_000;
  client.send(Array.from({ length: count }, (_, index) => get(`/${index}`)).join(''));
  await until(() => lab.metric('tidegate_http_received_bytes') >= 4096);
  const read = lab.metric('tidegate_http_received_bytes');
  for (let turns = 0; turns < 20; turns++) await new Promise((resolve) => setTimeout(resolve, 1));
  assert.equal(lab.metric('tidegate_http_received_bytes'), read);
  // What the limit allows, and a read or two of 64 KiB that were under way.
  assert.ok(read < 200_000, `${read} bytes were read`);
  assert.equal(requests, 1);

  first!.respond(200, {}, '<first>');
  await until(() => client.received.endsWith(`</${count - 1}>`));
  assert.equal(requests, count);
});

test('a client that sends requests and reads no answers is not served further', async (t) => {
  const lab = await openLab(t, (exchange) => exchange.respond(200, {}, 'x'.repeat(10_000)));
  const client = await lab.connect();
  client.socket.pause();
  client.send(get('/').repeat(20_000));
  const answered = (): number => lab.metric('tidegate_http_requests_total{GET,2xx}');
  let before = -1;
  await until(() => {
    const isStill = answered() > 0 && answered() === before;
    before = answered();
    return isStill;
  });
  assert.ok(
    answered() < 20_000,
    'all were answered: the buffers of the system are larger than the test assumes',
  );
  client.socket.resume();
  await until(() => answered() === 20_000);
});

test('an HTTP/1.0 connection closes after its answer unless it asks to persist (RFC 9112, 9.3)', async (t) => {
  const lab = await openLab(t, (exchange) => exchange.respond(200, {}, '!'));
  const client = await lab.connect();
  client.send('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
  assert.match(await client.take('!'), /\r\nConnection: keep-alive\r\n/);
  client.send('GET / HTTP/1.0\r\n\r\n');
  assert.match(await client.ended(), /\r\nConnection: close\r\n/);
});

test('requests after one that closes the connection are not handled (RFC 9112, 9.6)', async (t) => {
  const paths: string[] = [];
  const lab = await openLab(t, (exchange) => {
    paths.push(exchange.request.path);
    exchange.respond(204, {});
  });
  const client = await lab.connect();
  client.send(`GET /1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n${get('/2')}`);
  await client.ended();
  await client.closed();
  assert.deepEqual(paths, ['/1']);
});

test('a client that half-closes after its requests gets every answer, then the end', async (t) => {
  const lab = await openLab(t, (exchange) => {
    if (exchange.request.method === 'GET')
      setImmediate(() => exchange.respond(200, {}, exchange.request.path));
    else collect(exchange, (body) => exchange.respond(200, {}, body));
  });
  const client = await lab.connect();
  client.send(`${get('/1')}POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody${get('/2')}`);
  client.socket.end();
  const answers = await client.ended();
  assert.match(answers, /\/1HTTP.*bodyHTTP.*\/2$/s);
  await client.closed();
});

test('a client that half-closes inside a head is told so', async (t) => {
  const lab = await openLab(t, () => assert.fail('there is no request'));
  const client = await lab.connect();
  client.send('GET / HTTP/1.1\r\nHo');
  client.socket.end();
  assert.equal(problemCode(await client.ended()), 'http_malformed');
});

test('limits.httpKeepAliveTimeoutMs: an unused connection is closed without a word', async (t) => {
  const lab = await openLab(t, (exchange) => exchange.respond(200, {}, '!'));
  const client = await lab.connect();
  client.send(get('/'));
  await client.take('!');
  lab.clock.advance(lab.limits.httpKeepAliveTimeoutMs - 1);
  client.send(get('/'));
  await client.take('!');
  lab.clock.advance(lab.limits.httpKeepAliveTimeoutMs + 3000);
  assert.equal(await client.ended(), '');
  await client.closed();
});

test('a reset connection is forgotten', async (t) => {
  const lab = await openLab(t, (exchange) => exchange.respond(200, {}, '!'));
  const client = await lab.connect();
  client.send(get('/'));
  await client.take('!');
  client.socket.resetAndDestroy();
  await until(() => lab.metric('tidegate_http_connections_open') === 0);
});
