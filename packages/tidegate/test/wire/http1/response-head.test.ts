import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import test from 'node:test';
import {
  chunk,
  chunkHeader,
  isWithoutContent,
  LAST_CHUNK,
  responseHead,
} from '../../../src/wire/http1/index.ts';

test('a response head is a status line, the framing lines, the fields and an empty line (RFC 9112, 2.1)', () => {
  assert.equal(
    responseHead(200, { 'content-type': 'text/plain', vary: ['Origin', 'Accept'] }, 'Content-Length: 0\r\n'),
    'HTTP/1.1 200 OK\r\nContent-Length: 0\r\ncontent-type: text/plain\r\nvary: Origin\r\nvary: Accept\r\n\r\n',
  );
});

test('a status without a name has an empty reason phrase after its space (RFC 9112, 4)', () => {
  assert.equal(responseHead(299, {}, ''), 'HTTP/1.1 299 \r\n\r\n');
});

test('a field that would break a line is not written (RFC 9112, 11.1: response splitting)', () => {
  const broken: readonly Record<string, string | readonly string[]>[] = [
    { a: 'b\r\nSet-Cookie: c' },
    { a: 'b\n' },
    { a: 'b\0' },
    { a: ['b', 'c\r'] },
    { 'a\r\nb': 'c' },
    { 'a b': 'c' },
    { '': 'c' },
    { a: 'é' },
  ];
  for (const fields of broken) assert.throws(() => responseHead(200, fields, ''), { code: 'internal' });
});

test('a field that frames the message is not taken from others', () => {
  for (const name of ['content-length', 'Transfer-Encoding', 'connection', 'date', 'trailer', 'keep-alive']) {
    assert.throws(() => responseHead(200, { [name]: '1' }, ''), { code: 'internal' });
  }
});

test('1xx, 204 and 304 have no content (RFC 9112, 6.3)', () => {
  assert.deepEqual([100, 101, 200, 204, 205, 304, 404].filter(isWithoutContent), [100, 101, 204, 304]);
});

test('a chunk is its size in hexadecimal, CRLF, the data and CRLF (RFC 9112, 7.1)', () => {
  assert.equal(chunk(Buffer.from('a'.repeat(26))).toString(), `1a\r\n${'a'.repeat(26)}\r\n`);
  assert.equal(chunkHeader(65_536), '10000\r\n');
  assert.equal(LAST_CHUNK.toString(), '0\r\n\r\n');
});
