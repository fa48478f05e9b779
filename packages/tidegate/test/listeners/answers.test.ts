import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import test from 'node:test';
import { TidegateError } from '../../src/kernel/index.ts';
import { openLab, problemCode, splitResponse, until } from './lab.ts';

const GET = 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';

test('a response has a date, a length and the fields that the handler gave', async (t) => {
  const lab = await openLab(t, (exchange) => {
    exchange.respond(200, { 'content-type': 'text/plain', 'x-list': ['a', 'b'] }, 'grüß');
  });
  const client = await lab.connect();
  client.send(GET);
  assert.equal(
    await client.ended(),
    'HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Length: 6\r\nConnection: close\r\n' +
      'content-type: text/plain\r\nx-list: a\r\nx-list: b\r\n\r\n' +
      Buffer.from('grüß').toString('latin1'),
  );
});

test('the date follows the clock', async (t) => {
  const lab = await openLab(t, (exchange) => exchange.respond(204, {}));
  const client = await lab.connect();
  client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  assert.match(await client.take('\r\n\r\n'), /00:00:00 GMT/);
  lab.clock.advance(1999);
  client.send(GET);
  assert.match(await client.ended(), /00:00:01 GMT/);
});

test('the answer to HEAD has the length of the body and not the body (RFC 9110, 9.3.2)', async (t) => {
  const lab = await openLab(t, (exchange) => exchange.respond(200, {}, 'four'));
  const client = await lab.connect();
  client.send('HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  const { head, body } = splitResponse(await client.ended());
  assert.match(head, /^Content-Length: 4$/m);
  assert.equal(body, '');
});

test('204 and 304 have neither a length nor a body (RFC 9112, 6.3)', async (t) => {
  const lab = await openLab(t, (exchange) => {
    exchange.respond(exchange.request.path === '/204' ? 204 : 304, {}, 'not sent');
  });
  const client = await lab.connect();
  client.send(`GET /204 HTTP/1.1\r\nHost: x\r\n\r\n${GET}`);
  const text = await client.ended();
  assert.doesNotMatch(text, /Content-Length/);
  assert.doesNotMatch(text, /not sent/);
  assert.match(text, /^HTTP\/1\.1 204 .*HTTP\/1\.1 304 /s);
});

test('bytes are sent as they are', async (t) => {
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, octet) => octet));
  const lab = await openLab(t, (exchange) => exchange.respond(200, {}, bytes));
  const client = await lab.connect();
  client.send(GET);
  assert.equal(splitResponse(await client.ended()).body, bytes.toString('latin1'));
});

test('a body of megabytes arrives whole, as text and as bytes, also at a client that reads late', async (t) => {
  const text = 'ä'.repeat(4_000_000);
  const lab = await openLab(t, (exchange) => {
    exchange.respond(200, {}, exchange.request.path === '/text' ? text : Buffer.from(text));
  });
  for (const path of ['/text', '/bytes']) {
    const client = await lab.connect();
    client.socket.pause();
    client.send(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    await until(() => lab.metric('tidegate_http_requests_total{GET,2xx}') > (path === '/text' ? 0 : 1));
    client.socket.resume();
    const { head, body } = splitResponse(await client.ended());
    assert.match(head, /^Content-Length: 8000000$/m);
    assert.equal(body, Buffer.from(text).toString('latin1'));
  }
});

test('what a handler sees of a request', async (t) => {
  const seen: unknown[] = [];
  const lab = await openLab(t, (exchange) => {
    const { request } = exchange;
    seen.push([request.method, request.target, request.path, [...request.query], request.minorVersion]);
    seen.push([request.headers.get('x-a'), request.remoteAddress, request.body.lengthBytes]);
    exchange.respond(204, {});
  });
  const client = await lab.connect();
  client.send('PUT /a%20b?c=d%20e&c=f HTTP/1.1\r\nHost: x\r\nX-A: 1\r\nConnection: close\r\n\r\n');
  await client.ended();
  assert.deepEqual(seen, [
    [
      'PUT',
      '/a%20b?c=d%20e&c=f',
      '/a%20b',
      [
        ['c', 'd e'],
        ['c', 'f'],
      ],
      1,
    ],
    ['1', '127.0.0.1', 0],
  ]);
});

test('an error is problem details with the status of its code (RFC 9457)', async (t) => {
  const lab = await openLab(t, (exchange) => {
    exchange.fail(new TidegateError('position_invalid', 'from is x.'), { 'x-more': '1' });
  });
  const client = await lab.connect();
  client.send(GET);
  const { head, body } = splitResponse(await client.ended());
  assert.match(head, /^HTTP\/1\.1 400 /);
  assert.match(head, /^x-more: 1$/m);
  assert.deepEqual(Object.keys(JSON.parse(body)), [
    'type',
    'title',
    'status',
    'detail',
    'code',
    'retryable',
    'hint',
  ]);
});

test('an error that escapes a handler is answered with 500 and logged; the next request is served', async (t) => {
  const lab = await openLab(t, (exchange) => {
    if (exchange.request.path === '/') exchange.respond(204, {});
    else throw new Error('a secret');
  });
  const client = await lab.connect();
  client.send('GET /broken HTTP/1.1\r\nHost: x\r\n\r\n');
  const failed = await client.take('}');
  assert.match(failed, /^HTTP\/1\.1 500 /);
  assert.equal(problemCode(failed), 'internal');
  assert.doesNotMatch(failed, /secret/);
  client.send(GET);
  assert.match(await client.ended(), /^HTTP\/1\.1 204 /);
  assert.equal(lab.logged.filter(({ level }) => level === 'error').length, 1);
  assert.equal(lab.logged[0].fields.path, '/broken');
});

test('an error that escapes a handler keeps its code if it has one', async (t) => {
  const lab = await openLab(t, () => {
    throw new TidegateError('channel_invalid');
  });
  const client = await lab.connect();
  client.send(GET);
  assert.equal(problemCode(await client.ended()), 'channel_invalid');
  assert.deepEqual(
    lab.logged.filter(({ level }) => level === 'error'),
    [],
  );
});

test('an error that escapes after the answer is logged and does not spoil the answer', async (t) => {
  const lab = await openLab(t, (exchange) => {
    exchange.respond(200, {}, 'fine');
    throw new Error('late');
  });
  const client = await lab.connect();
  client.send(`GET / HTTP/1.1\r\nHost: x\r\n\r\n${GET}`);
  assert.equal((await client.ended()).match(/fine/g)?.length, 2);
  assert.equal(lab.logged.filter(({ level }) => level === 'error').length, 2);
});

test('a second answer to the same request is an error of its handler and sends nothing', async (t) => {
  const codes: unknown[] = [];
  const lab = await openLab(t, (exchange) => {
    exchange.respond(200, {}, 'first');
    try {
      exchange.respond(200, {}, 'second');
    } catch (error) {
      codes.push((error as TidegateError).code);
    }
  });
  const client = await lab.connect();
  client.send(GET);
  assert.doesNotMatch(await client.ended(), /second/);
  assert.deepEqual(codes, ['internal']);
});

test('a field value that would split the response is answered with 500 instead', async (t) => {
  const lab = await openLab(t, (exchange) => exchange.respond(200, { a: 'b\r\nc: d' }));
  const client = await lab.connect();
  client.send(GET);
  assert.match(await client.ended(), /^HTTP\/1\.1 500 /);
});

test('requests are counted by method and class of status, connections and bytes as they come and go', async (t) => {
  const lab = await openLab(t, (exchange) => exchange.respond(200, {}));
  const client = await lab.connect();
  client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await client.take('\r\n\r\n');
  assert.equal(lab.metric('tidegate_http_connections_open'), 1);
  assert.equal(lab.metric('tidegate_http_received_bytes'), 27);
  client.send('BREW / HTTP/1.1\r\nHost: x\r\n\r\n\0no HTTP');
  await client.ended();
  await until(() => lab.metric('tidegate_http_connections_open') === 0);
  assert.equal(lab.metric('tidegate_http_connections_accepted_total'), 1);
  assert.equal(lab.metric('tidegate_http_requests_total{GET,2xx}'), 1);
  assert.equal(lab.metric('tidegate_http_requests_total{other,2xx}'), 1);
  assert.equal(lab.metric('tidegate_http_received_bytes'), 27 + 28 + 8);
});
