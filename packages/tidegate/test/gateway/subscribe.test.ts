import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import type { RouteOptions } from '../../src/gateway/options.ts';
import { findRouteProblems } from '../../src/gateway/routes/problems.ts';
import type { HttpRequest } from '../../src/listeners/index.ts';
import { openGatewayLab } from './lab.ts';

interface Answered {
  readonly head: string;
  /** As it came to whoever serves event streams; null if it did not. */
  readonly request: HttpRequest | null;
}

/** Sends a request by a route that leads to a channel. */
async function ask(t: TestContext, route: RouteOptions, target: string, fields = ''): Promise<Answered> {
  let request: HttpRequest | null = null;
  const { connect } = await openGatewayLab(t, {
    routes: { events: route },
    others: (exchange) => {
      request = exchange.request;
      exchange.respond(204, { 'x-served': 'yes' });
    },
  });
  const client = await connect();
  client.send(`GET ${target} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`);
  const head = await client.take('\r\n\r\n');
  return { head, request };
}

const EVENTS: RouteOptions = { match: { path: '/events/{topic}/' }, subscribe: { channel: '{topic}/#' } };

test('a route leads to a channel: whoever serves event streams is asked for it, with all else that the client said', async (t) => {
  const fields = 'Authorization: Bearer k\r\nLast-Event-ID: 7\r\n';
  const { head, request } = await ask(
    t,
    EVENTS,
    '/events/test/?from=-2&channel=secret&access_token=x',
    fields,
  );
  assert.match(head, /^HTTP\/1\.1 204 .*\r\nx-served: yes\r\n/s);
  assert.ok(request);
  assert.equal(request.path, '/v1/sse');
  assert.deepEqual(
    [...request.query],
    [
      ['from', '-2'],
      ['channel', 'test/#'],
      ['access_token', 'x'],
    ],
  );
  assert.equal(request.target, `/v1/sse?${request.query}`);
  assert.deepEqual(
    [
      request.method,
      request.host,
      request.headers.get('authorization'),
      request.headers.get('last-event-id'),
    ],
    ['GET', 'a', 'Bearer k', '7'],
  );
});

test('what the path says is taken by its letters, percent-decoded', async (t) => {
  for (const [channel, target, expected] of [
    ['events-{topic}', '/events/a%C3%A4%2Fb/', 'events-aä/b'],
    ['{topic}', '/events/a+b/', 'a+b'],
    ['{topic}/{topic}', '/events/%7Btopic%7D/', '{topic}/{topic}'],
    ['news', '/events/a/', 'news'],
    ['{topic', '/events/a/', '{topic'],
  ]) {
    const { request } = await ask(t, { ...EVENTS, subscribe: { channel } }, target);
    assert.deepEqual(request?.query.getAll('channel'), [expected]);
  }
});

test('a client cannot put wildcards into the channel, nor what is no text', async (t) => {
  for (const target of ['/events/%23/', '/events/+/', '/events/a%2F+%2Fb/', '/events/%FF/']) {
    const { head, request } = await ask(t, EVENTS, target);
    assert.match(head, /^HTTP\/1\.1 400 /, target);
    assert.equal(request, null);
  }
});

test('a route leads to one place only, and a channel has no use for what is for origins', () => {
  const told = (options: RouteOptions): readonly string[] =>
    findRouteProblems(options).map(({ path, message }) => `${path.join('.')}: ${message}`);
  assert.deepEqual(told(EVENTS), []);
  assert.deepEqual(told({ ...EVENTS, upstream: 'a' }), [
    'subscribe: The route has upstream as well, and leads to one only',
  ]);
  assert.deepEqual(told({ ...EVENTS, respond: {} }), [
    'subscribe: The route has respond as well, and leads to one only',
  ]);
  assert.deepEqual(told({ ...EVENTS, grip: {}, cache: {}, headers: { response: { set: { a: 'b' } } } }), [
    'grip: A route that answers by itself asks no origin',
    'cache: A stream of a channel is not cached',
    'headers.response: A stream of a channel has header fields of its own',
  ]);
  assert.deepEqual(told({ ...EVENTS, crossOrigin: {} }), [
    'crossOrigin: A stream of a channel is for the pages of cors.origins',
  ]);
  assert.deepEqual(told({ ...EVENTS, subscribe: { channel: '{topik}/{topic}' } }), [
    'subscribe.channel: match.path has no parameter {topik}',
  ]);
});
