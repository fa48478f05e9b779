import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSockJsPath } from '../../../src/wire/sockjs/index.ts';

test('a path below that of SockJS is a page, a WebSocket or a session', () => {
  const kinds: Readonly<Record<string, string>> = {
    '': 'greeting',
    '/': 'greeting',
    '/info': 'info',
    '/websocket': 'raw_websocket',
    '/iframe.html': 'iframe',
    '/iframe-1.6.1.html': 'iframe',
    '/a/b/websocket': 'websocket',
    '/a/b/xhr': 'session',
    '/info/': 'unknown',
    '/iframe/.html': 'unknown',
    '/a/b/xhr/': 'unknown',
    '/a/b/polling': 'unknown',
    '/a/b/c/xhr': 'unknown',
    '/a//xhr': 'unknown',
    '/a.b/c/xhr': 'unknown',
    '/a/b.c/websocket': 'unknown',
  };
  for (const [path, kind] of Object.entries(kinds)) assert.equal(parseSockJsPath(path).kind, kind, path);
});

test('a session has the id and the transport of its path, whatever stands for the server', () => {
  for (const transport of [
    'xhr',
    'xhr_send',
    'xhr_streaming',
    'eventsource',
    'htmlfile',
    'jsonp',
    'jsonp_send',
  ]) {
    assert.deepEqual(parseSockJsPath(`/000/some-id%20x/${transport}`), {
      kind: 'session',
      sessionId: 'some-id%20x',
      transport,
    });
  }
});
