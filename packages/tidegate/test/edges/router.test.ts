import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { preferredType } from '../../src/wire/http1/index.ts';
import { type EdgeServer, startEdgeServer } from './edge-server.ts';
import { assertProblem, get, RawClient } from './requests.ts';

let server: EdgeServer;
before(async () => {
  server = await startEdgeServer();
});
after(() => server.close());

const OFFERS = ['application/x-ndjson', 'text/event-stream', 'application/json'] as const;

describe('Of what is offered, a client gets what it prefers (RFC 9110, section 12.5.1):', () => {
  for (const [accept, expected] of [
    ['text/event-stream', 'text/event-stream'],
    ['*/*', 'application/x-ndjson'],
    ['application/*', 'application/x-ndjson'],
    ['text/*', 'text/event-stream'],
    ['application/json, text/plain, */*', 'application/json'],
    ['text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8', 'application/x-ndjson'],
    ['application/json, text/event-stream', 'application/json'],
    ['text/event-stream, application/json', 'text/event-stream'],
    ['application/json;q=0.4, text/event-stream;q=0.5', 'text/event-stream'],
    ['application/x-ndjson;q=0, */*', 'text/event-stream'],
    ['*/*;q=0.1, application/json;q=0.05', 'application/x-ndjson'],
    ['Application/JSON ; Q=1.000', 'application/json'],
    ['text/event-stream;charset=utf-8;q=0.7, */*;q=0.1', 'text/event-stream'],
    ['text/html', undefined],
    ['*/*;q=0', undefined],
    [',', undefined],
  ] as const) {
    test(`${accept} gets ${expected ?? 'nothing'}`, () =>
      assert.equal(preferredType(accept, OFFERS), expected));
  }
});

describe('A request', () => {
  for (const path of [
    '/',
    '/v1',
    '/v1/',
    '/v1/channels',
    '/v1/publish/',
    '/v1/sse/x',
    '/v2/channels/a',
    '/v1/Channels/a',
    '//v1/publish',
  ]) {
    test(`for ${path} finds nothing`, async () => {
      assertProblem(await get(server, path), 404, 'http_not_found');
    });
  }

  for (const [method, path, allow] of [
    ['PUT', '/v1/channels/a', 'GET, HEAD, POST, OPTIONS'],
    ['DELETE', '/v1/channels/a', 'GET, HEAD, POST, OPTIONS'],
    ['GET', '/v1/publish', 'POST, OPTIONS'],
    ['POST', '/v1/history/a', 'GET, HEAD, OPTIONS'],
    ['POST', '/v1/sse?channel=a', 'GET, HEAD, OPTIONS'],
  ] as const) {
    test(`with ${method} for ${path} is told what the path takes`, async () => {
      const response = await fetch(server.url + path, { method });
      assert.equal(response.status, 405);
      assert.equal(response.headers.get('allow'), allow);
      assert.equal(((await response.json()) as { code: string }).code, 'http_method_not_allowed');
    });
  }

  test('with OPTIONS is told what the path takes', async () => {
    const response = await fetch(`${server.url}/v1/publish`, { method: 'OPTIONS' });
    assert.deepEqual([response.status, response.headers.get('allow')], [204, 'POST, OPTIONS']);
  });

  test('that accepts nothing of what there is gets 406', async () => {
    assertProblem(await get(server, '/v1/channels/a', { accept: 'text/html' }), 406, 'http_not_acceptable');
  });

  test('may spread Accept over several fields', async () => {
    const client = new RawClient(server.port);
    client.send(
      'GET /v1/channels/a HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\nAccept: text/event-stream\r\n\r\n',
    );
    assert.match(await client.until(/\r\n\r\n/), /content-type: text\/event-stream/);
    await client.close();
  });
});
