import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import test from 'node:test';
import { resolveLimits } from '../../../src/kernel/index.ts';
import { RequestParser } from '../../../src/wire/http1/index.ts';
import { readText } from './read-requests.ts';

test('a request without a body is its head and its end (RFC 9112, 6.3)', () => {
  assert.deepEqual(readText('GET /a?b=c HTTP/1.1\r\nHost: x:80\r\nX-Y:  z \t\r\n\r\n'), {
    requests: [
      {
        method: 'GET',
        target: '/a?b=c',
        minorVersion: 1,
        headers: [
          ['host', 'x:80'],
          ['x-y', 'z'],
        ],
        body: '',
      },
    ],
    error: null,
    detail: '',
    idle: true,
  });
});

test('requests that follow each other on a connection are read in order (RFC 9112, 9.3.2)', () => {
  const { requests, idle } = readText(
    'POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc' +
      'POST /2 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\n1;q="\\"x"\r\nf\r\n0\r\nX: y\r\n\r\n' +
      'GET /3 HTTP/1.0\r\n\r\n',
  );
  assert.deepEqual(
    requests.map(({ target, body, minorVersion }) => [target, body, minorVersion]),
    [
      ['/1', 'abc', 1],
      ['/2', 'def', 1],
      ['/3', '', 0],
    ],
  );
  assert.equal(idle, true);
});

test('one empty line before a request is ignored (RFC 9112, 2.2)', () => {
  assert.equal(readText('\r\nGET / HTTP/1.0\r\n\r\n').requests.length, 1);
  assert.equal(readText('\r\n\r\nGET / HTTP/1.0\r\n\r\n').error, 'http_malformed');
});

test('a target in absolute form is reduced to origin form if its host agrees (RFC 9112, 3.2.2)', () => {
  const targetOf = (sent: string): string | undefined =>
    readText(`GET ${sent} HTTP/1.1\r\nHost: X\r\n\r\n`).requests[0]?.target;
  assert.equal(targetOf('http://x/a?b'), '/a?b');
  assert.equal(targetOf('HTTP://x:80'), '/');
  assert.equal(targetOf('http://x?b'), '/?b');
});

test('OPTIONS may have the target * (RFC 9112, 3.2.4)', () => {
  assert.equal(readText('OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n').requests[0].target, '*');
});

test('a connection persists as its version and Connection say (RFC 9112, 9.3)', () => {
  const persists = (version: string, connection: string): boolean => {
    const parser = new RequestParser(resolveLimits());
    parser.push(Buffer.from(`GET / HTTP/${version}\r\nHost: x\r\n${connection}\r\n`));
    assert.equal(parser.next(), 'head');
    return parser.head!.keepAlive;
  };
  assert.equal(persists('1.1', ''), true);
  assert.equal(persists('1.1', 'Connection: close\r\n'), false);
  assert.equal(persists('1.1', 'Connection: Upgrade\r\n'), true);
  assert.equal(persists('1.1', 'Connection: upgrade, CLOSE\r\n'), false);
  assert.equal(persists('1.1', 'Connection: x\r\nConnection: close\r\n'), false);
  assert.equal(persists('1.0', ''), false);
  assert.equal(persists('1.0', 'Connection: Keep-Alive\r\n'), true);
  assert.equal(persists('1.0', 'Connection: keep-alive, close\r\n'), false);
});

test('only an HTTP/1.1 client with a body to send waits for 100 (RFC 9110, 10.1.1)', () => {
  const waits = (version: string, length: number): boolean => {
    const parser = new RequestParser(resolveLimits());
    parser.push(
      Buffer.from(
        `PUT / HTTP/${version}\r\nHost: x\r\nExpect: 100-Continue\r\nContent-Length: ${length}\r\n\r\n`,
      ),
    );
    assert.equal(parser.next(), 'head');
    return parser.head!.expectsContinue;
  };
  assert.equal(waits('1.1', 1), true);
  assert.equal(waits('1.1', 0), false);
  assert.equal(waits('1.0', 1), false);
});

test('field names are looked up in lower case, whatever was sent, and repeated fields are kept apart', () => {
  const parser = new RequestParser(resolveLimits());
  parser.push(Buffer.from('GET / HTTP/1.1\r\nHOST: x\r\nA: 1\r\na: 2\r\nEmpty:\r\n\r\n'));
  parser.next();
  const { fields } = parser.head!;
  assert.equal(fields.get('host'), 'x');
  assert.equal(fields.get('a'), '1');
  assert.deepEqual(fields.all('a'), ['1', '2']);
  assert.equal(fields.get('empty'), '');
  assert.equal(fields.get('hos'), undefined);
  assert.deepEqual(fields.all('b'), []);
});

test('what follows a request is handed to the protocol that takes over', () => {
  const parser = new RequestParser(resolveLimits());
  parser.push(Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\nraw'));
  assert.equal(parser.next(), 'head');
  assert.equal(parser.takeRest().toString(), 'raw');
  assert.equal(parser.bufferedBytes, 0);
});

test('a parser that failed stays failed, whatever arrives', () => {
  const parser = new RequestParser(resolveLimits());
  parser.push(Buffer.from('\0'));
  assert.equal(parser.next(), 'failed');
  parser.push(Buffer.from('GET / HTTP/1.0\r\n\r\n'));
  assert.equal(parser.next(), 'failed');
});

test('the parser knows how much of a body is still to come', () => {
  const parser = new RequestParser(resolveLimits());
  parser.push(Buffer.from('PUT / HTTP/1.0\r\nContent-Length: 5\r\n\r\nab'));
  parser.next();
  assert.equal(parser.bodyBytesRemaining, 5);
  assert.equal(parser.next(), 'data');
  assert.equal(parser.bodyBytesRemaining, 3);
  assert.equal(parser.next(), 'more');
  parser.push(Buffer.from('cde'));
  assert.equal(parser.next(), 'data');
  assert.equal(parser.bodyBytesRemaining, 0);
  assert.equal(parser.isIdle, false);
  assert.equal(parser.next(), 'end');
  assert.equal(parser.isIdle, true);
});
