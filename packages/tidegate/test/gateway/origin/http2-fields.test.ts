import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  http2RequestFields,
  http2TrailerFields,
  readHttp2Response,
  readHttp2Trailers,
} from '../../../src/gateway/origin/http2-fields.ts';
import { resolveLimits, TidegateError } from '../../../src/kernel/index.ts';

const limits = resolveLimits();
const malformed = (error: unknown): boolean =>
  error instanceof TidegateError && error.code === 'http_malformed';

test('a head is read without what ends at this hop', () => {
  const raw = [
    ':status',
    '200',
    'content-length',
    '5',
    'a',
    'b',
    'trailer',
    'x',
    'proxy-authenticate',
    'c',
    'a',
    'd',
  ];
  assert.deepEqual(readHttp2Response(raw, limits), {
    status: 200,
    fields: ['a', 'b', 'a', 'd'],
    lengthBytes: 5,
  });
});

for (const value of ['a\rb', 'a\nb', 'a\0b', 'a\x7fb', 'a\u0100b']) {
  test(`${JSON.stringify(value)} is no value of a field, and none of a trailer`, () => {
    assert.throws(() => readHttp2Response([':status', '200', 'x', value], limits), malformed);
    assert.throws(() => readHttp2Trailers(['x', value], limits), malformed);
  });
}

for (const name of ['', 'X', 'a b', 'a:', ':path', 'a\r\nb', 'a\0']) {
  test(`${JSON.stringify(name)} is no name of a field, and none of a trailer`, () => {
    assert.throws(() => readHttp2Response([':status', '200', name, 'x'], limits), malformed);
    assert.throws(() => readHttp2Trailers([name, 'x'], limits), malformed);
  });
}

for (const status of ['', '99', '600', '1000', '2x0', '101']) {
  test(`${JSON.stringify(status)} is no status of HTTP/2`, () => {
    assert.throws(() => readHttp2Response([':status', status], limits), malformed);
  });
}

test('trailers that frame, route or authenticate are dropped', () => {
  const raw = ['grpc-status', '0', 'content-length', '5', 'authorization', 'x', 'x-sum', '1'];
  assert.deepEqual(readHttp2Trailers(raw, limits), ['grpc-status', '0', 'x-sum', '1']);
});

test('a request begins with its pseudo-fields and has names in lower case (RFC 9113, section 8.3.1)', () => {
  const fields = ['Host', 'a.example', 'X-Odd', '1', 'TE', 'trailers'];
  const request = {
    method: 'POST',
    target: '/b?c',
    fields,
    bodyBytes: 3,
    upgrade: null,
    expects: 'nothing',
  } as const;
  assert.deepEqual(http2RequestFields(request, null, 'https'), [
    ...[':method', 'POST', ':scheme', 'https', ':authority', 'a.example', ':path', '/b?c'],
    ...['x-odd', '1', 'te', 'trailers', 'content-length', '3'],
  ]);
});

test('trailers of the same name stay apart', () => {
  assert.deepEqual(http2TrailerFields(['X-A', '1', 'x-b', '2', 'x-a', '3', 'X-a', '4']), {
    'x-a': ['1', '3', '4'],
    'x-b': '2',
  });
});
