import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import test from 'node:test';
import type { TidegateError } from '../../src/kernel/index.ts';
import type { HttpExchange, RequestBody } from '../../src/listeners/index.ts';
import { collect, openLab, problemCode, until } from './lab.ts';

const echo = (exchange: HttpExchange): void => {
  collect(exchange, (body) => exchange.respond(200, {}, body), 1000);
};
const post = (fields: string, body = ''): string => `POST / HTTP/1.1\r\nHost: x\r\n${fields}\r\n${body}`;
const NEXT = 'GET /next HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';

test('bodies of both framings arrive whole and leave the connection ready for the next request', async (t) => {
  const lab = await openLab(t, echo);
  const client = await lab.connect();
  client.send(post('Content-Length: 5\r\n', 'first'));
  await client.take('first');
  client.send(post('Transfer-Encoding: chunked\r\n', '3\r\nsec\r\n3\r\nond\r\n0\r\n\r\n'));
  await client.take('second');
  client.send(post('Content-Length: 0\r\n'));
  await client.take('Content-Length: 0\r\n\r\n');
});

test('nothing of a body is delivered before receive has returned', async (t) => {
  const order: string[] = [];
  const lab = await openLab(t, (exchange) => {
    const receive = (): void => {
      exchange.request.body.receive(
        {
          data: (slice) => order.push(`data ${slice.toString()}`),
          end: () => {
            order.push('end');
            exchange.respond(204, {});
          },
          failed: () => order.push('failed'),
        },
        100,
      );
      order.push('returned');
    };
    if (exchange.request.path === '/') receive();
    else setImmediate(receive);
  });
  const client = await lab.connect();
  client.send(post('Content-Length: 2\r\n', 'ab'));
  await client.take('\r\n\r\n');
  client.send('POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\ncd');
  await client.take('\r\n\r\n');
  assert.deepEqual(order, ['returned', 'data ab', 'end', 'returned', 'data cd', 'end']);
});

test('a body that is announced too large fails before it is read, and the connection closes', async (t) => {
  const lab = await openLab(t, echo);
  const client = await lab.connect();
  client.send(post('Content-Length: 9000000\r\n', 'x'.repeat(5000)));
  const answer = await client.ended();
  assert.match(answer, /^HTTP\/1\.1 413 .*\r\nConnection: close\r\n/s);
  assert.equal(problemCode(answer), 'body_too_large');
});

test('a chunked body fails once it is too large', async (t) => {
  const lab = await openLab(t, echo);
  const client = await lab.connect();
  client.send(post('Transfer-Encoding: chunked\r\n', `${'64\r\n'}${'x'.repeat(100)}\r\n`.repeat(11)));
  assert.match(await client.take('}'), /^HTTP\/1\.1 413 /);
});

test('a small body that nobody asked for is read past, and the connection is kept', async (t) => {
  const lab = await openLab(t, (exchange) => exchange.respond(200, {}, exchange.request.path));
  const client = await lab.connect();
  client.send(post('Content-Length: 5000\r\n'));
  await client.take('\r\n\r\n/');
  client.send('x'.repeat(5000) + post('Transfer-Encoding: chunked\r\n', '1\r\nx\r\n0\r\n\r\n') + NEXT);
  const answers = await client.ended();
  assert.match(answers, /\/next$/);
});

test('a chunked body that nobody asked for and that has no end closes the connection', async (t) => {
  const lab = await openLab(t, (exchange) => exchange.respond(200, {}, 'no, thanks'));
  const client = await lab.connect();
  client.send(post('Transfer-Encoding: chunked\r\n'));
  await client.take('no, thanks');
  for (let chunk = 0; chunk < 20; chunk++) client.send(`2000\r\n${'x'.repeat(8192)}\r\n`);
  await client.ended();
  await client.closed();
});

test('100 is sent only when the handler asks for the body (RFC 9110, 10.1.1)', async (t) => {
  const lab = await openLab(t, (exchange) => {
    if (exchange.request.path === '/') echo(exchange);
    else exchange.respond(403, {}, 'no');
  });
  const client = await lab.connect();
  client.send(post('Expect: 100-continue\r\nContent-Length: 2\r\n'));
  await client.take('HTTP/1.1 100 Continue\r\n\r\n');
  client.send('ok');
  await client.take('\r\n\r\nok');
  client.send('POST /no HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n');
  const answer = await client.ended();
  assert.match(answer, /^HTTP\/1\.1 403 .*\r\nConnection: close\r\n/s);
});

test('100 is left out if the body is there already, or will be refused', async (t) => {
  const lab = await openLab(t, echo);
  const client = await lab.connect();
  client.send(post('Expect: 100-continue\r\nContent-Length: 2\r\n', 'ok'));
  assert.match(await client.take('ok'), /^HTTP\/1\.1 200 OK/);
  client.send(post('Expect: 100-continue\r\nContent-Length: 2000\r\n'));
  assert.match(await client.ended(), /^HTTP\/1\.1 413 /);
});

test('a paused body stops the client, and goes on where it stopped', async (t) => {
  const total = 30_000_000;
  let received = 0;
  let body: RequestBody | null = null;
  const lab = await openLab(t, (exchange) => {
    body = exchange.request.body;
    body.receive(
      {
        data: (slice) => {
          if (received === 0) body!.pause();
          received += slice.length;
        },
        end: () => exchange.respond(200, {}, 'all'),
        failed: (error) => exchange.fail(error),
      },
      total,
    );
  });
  const client = await lab.connect();
  client.send(post(`Content-Length: ${total}\r\n`));
  client.send(Buffer.alloc(total, 'x'));
  await until(() => received > 0);
  const first = received;
  for (let turns = 0; turns < 20; turns++) await new Promise((resolve) => setTimeout(resolve, 1));
  assert.equal(received, first);
  assert.ok(lab.metric('tidegate_http_received_bytes') < 1_000_000, 'the socket was read on');
  body!.resume();
  assert.match(await client.take('all'), /^HTTP\/1\.1 200 /);
  assert.equal(received, total);
});

test('a body whose framing breaks fails with the fault, and the connection closes', async (t) => {
  const lab = await openLab(t, echo);
  const client = await lab.connect();
  client.send(post('Transfer-Encoding: chunked\r\n', '5\r\nhello\r\nworld\r\n'));
  const answer = await client.ended();
  assert.equal(problemCode(answer), 'http_malformed');
  assert.match(answer, /\r\nConnection: close\r\n/);
});

test('a client that half-closes inside a body is told so', async (t) => {
  const lab = await openLab(t, echo);
  const client = await lab.connect();
  client.send(post('Content-Length: 10\r\n', 'five?'));
  client.socket.end();
  assert.equal(problemCode(await client.ended()), 'http_malformed');
});

test('a client that leaves inside a body fails the body and abandons the exchange; answers are dropped', async (t) => {
  const told: string[] = [];
  const lab = await openLab(t, (exchange) => {
    exchange.onAbandoned(() => told.push('abandoned'));
    exchange.request.body.receive(
      {
        data: (slice) => told.push(slice.toString()),
        end: () => told.push('end'),
        failed: (error: TidegateError) => {
          told.push(error.code);
          exchange.fail(error);
        },
      },
      100,
    );
  });
  const client = await lab.connect();
  client.send(post('Content-Length: 10\r\n', 'five?'));
  await until(() => told.length === 1);
  client.socket.resetAndDestroy();
  await until(() => lab.metric('tidegate_http_connections_open') === 0);
  assert.deepEqual(told.toSorted(), ['abandoned', 'five?', 'http_malformed'].toSorted());
});

test('limits.httpBodyIdleTimeoutMs: a body that stops arriving is answered with 408', async (t) => {
  const lab = await openLab(t, echo);
  const client = await lab.connect();
  client.send(post('Content-Length: 10\r\n', 'five?'));
  await until(() => lab.metric('tidegate_http_received_bytes') > 45);
  lab.clock.advance(lab.limits.httpBodyIdleTimeoutMs + 3000);
  const answer = await client.ended();
  assert.equal(problemCode(answer), 'http_request_timeout');
  assert.match(answer, /^HTTP\/1\.1 408 .*\r\nConnection: close\r\n/s);
});

test('a body whose reader is slow does not time out', async (t) => {
  let body: RequestBody | null = null;
  const lab = await openLab(t, (exchange) => {
    body = exchange.request.body;
    collect(exchange, (all) => exchange.respond(200, {}, all));
    body.pause();
  });
  const client = await lab.connect();
  client.send(post('Content-Length: 4\r\n', 'late'));
  await until(() => body !== null);
  lab.clock.advance(lab.limits.httpBodyIdleTimeoutMs * 3);
  body!.resume();
  await client.take('late');
});

test('an error that escapes a body receiver is answered with 500', async (t) => {
  const lab = await openLab(t, (exchange) => {
    collect(exchange, () => {
      throw new Error('in end');
    });
  });
  const client = await lab.connect();
  client.send(post('Content-Length: 2\r\n', 'ab') + NEXT);
  assert.match(await client.take('}'), /^HTTP\/1\.1 500 /);
  assert.match(await client.ended(), /^HTTP\/1\.1 500 /);
});

test('a client that ends its side while it waits for an answer is told of, and can still be answered', async (t) => {
  let told = 0;
  const lab = await openLab(t, (exchange) => {
    exchange.onAbandoned(() => {
      told++;
      exchange.respond(200, {}, 'early');
    });
  });
  const client = await lab.connect();
  client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  client.socket.end();
  assert.match(await client.ended(), /\r\n\r\nearly$/);
  assert.equal(told, 1);
});
