import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import test from 'node:test';
import { resolveLimits } from '../../../src/kernel/index.ts';
import { readRequests, readText } from './read-requests.ts';

const limits = resolveLimits({
  httpHeadBytesMax: 1024,
  httpHeadersMax: 10,
  httpTargetBytesMax: 256,
  chunkHeaderBytesMax: 16,
});

/** A head of exactly this many bytes. */
function headOf(bytes: number): string {
  const frame = 'GET / HTTP/1.1\r\nHost: x\r\nA: \r\n\r\n';
  return frame.replace('A: ', `A: ${'a'.repeat(bytes - frame.length)}`);
}

test('limits.httpHeadBytesMax: a head of that many bytes is read, one more is refused', () => {
  assert.equal(readText(headOf(1024), limits).requests.length, 1);
  assert.equal(readText(headOf(1025), limits).error, 'http_headers_too_large');
});

test('limits.httpHeadBytesMax: a head without an end is refused as soon as it is too long', () => {
  const begun = headOf(3000).slice(0, 1024);
  assert.equal(readText(begun.slice(0, 1023), limits).error, null);
  assert.equal(readText(begun, limits).error, 'http_headers_too_large');
});

test('limits.httpHeadersMax: that many fields are read, one more is refused', () => {
  const fields = (count: number): string => `GET / HTTP/1.0\r\n${'A: b\r\n'.repeat(count)}\r\n`;
  assert.equal(readText(fields(10), limits).requests[0].headers.length, 10);
  assert.equal(readText(fields(11), limits).error, 'http_headers_too_large');
});

test('limits.httpTargetBytesMax: a target of that many bytes is read, one more is refused', () => {
  const target = (bytes: number): string => `GET /${'a'.repeat(bytes - 1)} HTTP/1.0\r\n\r\n`;
  assert.equal(readText(target(256), limits).requests[0].target.length, 256);
  assert.equal(readText(target(257), limits).error, 'http_target_too_long');
  assert.equal(readText(target(5000), limits).error, 'http_target_too_long');
});

test('limits.chunkHeaderBytesMax: a chunk header of that many bytes is read, one more is refused', () => {
  const chunked = (header: string): string =>
    `POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${header}\r\na\r\n0\r\n\r\n`;
  assert.equal(readText(chunked(`1;${'x'.repeat(12)}`), limits).requests[0].body, 'a');
  assert.equal(readText(chunked(`1;${'x'.repeat(13)}`), limits).error, 'http_malformed');
});

test('limits.httpHeadBytesMax and httpHeadersMax bound a trailer section too', () => {
  const trailers = (lines: string): string =>
    `POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n${lines}\r\n`;
  assert.equal(readText(trailers('A: b\r\n'.repeat(10)), limits).error, null);
  assert.equal(readText(trailers('A: b\r\n'.repeat(11)), limits).error, 'http_headers_too_large');
  assert.equal(readText(trailers(`A: ${'b'.repeat(1100)}\r\n`), limits).error, 'http_headers_too_large');
});

test('heads as long as may be are read when they arrive octet by octet', () => {
  const bytes = Buffer.from(headOf(16_384).repeat(3), 'latin1');
  const pieces = Array.from(bytes, (_, at) => bytes.subarray(at, at + 1));
  assert.equal(readRequests(pieces, resolveLimits()).requests.length, 3);
});
