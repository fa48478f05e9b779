import assert from 'node:assert/strict';
import test from 'node:test';
import type { ErrorCode } from '../../../src/kernel/index.ts';
import { readText } from './read-requests.ts';

/** A request that two programs could read differently, or that is none; `bytes` as Latin-1. */
interface Vector {
  readonly name: string;
  readonly bytes: string;
  readonly code: ErrorCode;
}

const get = (lines: string): string => `GET / HTTP/1.1\r\nHost: x\r\n${lines}\r\n`;
const post = (lines: string, body = ''): string => `POST / HTTP/1.1\r\nHost: x\r\n${lines}\r\n${body}`;
const chunked = (body: string): string => post('Transfer-Encoding: chunked\r\n', body);

const vectors: readonly Vector[] = [
  // Two lengths (RFC 9112, 6.3).
  {
    name: 'Content-Length before Transfer-Encoding (CL.TE)',
    bytes: post('Content-Length: 6\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\nG'),
    code: 'http_ambiguous',
  },
  {
    name: 'Transfer-Encoding before Content-Length (TE.CL)',
    bytes: post('Transfer-Encoding: chunked\r\nContent-Length: 4\r\n', '5c\r\n'),
    code: 'http_ambiguous',
  },
  {
    name: 'two different Content-Lengths',
    bytes: post('Content-Length: 1\r\nContent-Length: 2\r\n', 'ab'),
    code: 'http_ambiguous',
  },
  {
    name: 'two equal Content-Lengths',
    bytes: post('Content-Length: 2\r\ncontent-length: 2\r\n', 'ab'),
    code: 'http_ambiguous',
  },
  {
    name: 'a list of equal lengths',
    bytes: post('Content-Length: 5,5\r\n', 'abcde'),
    code: 'http_ambiguous',
  },
  {
    name: 'a list of different lengths',
    bytes: post('Content-Length: 5, 6\r\n', 'abcde'),
    code: 'http_ambiguous',
  },
  // Lengths that are none (RFC 9110, 8.6).
  {
    name: 'a length with a plus sign',
    bytes: post('Content-Length: +5\r\n', 'abcde'),
    code: 'http_malformed',
  },
  { name: 'a negative length', bytes: post('Content-Length: -1\r\n'), code: 'http_malformed' },
  { name: 'a hexadecimal length', bytes: post('Content-Length: 0x5\r\n', 'abcde'), code: 'http_malformed' },
  { name: 'an empty length', bytes: post('Content-Length:\r\n'), code: 'http_malformed' },
  {
    name: 'a length with a space inside',
    bytes: post('Content-Length: 1 0\r\n', 'a'),
    code: 'http_malformed',
  },
  {
    name: 'a length with a fraction',
    bytes: post('Content-Length: 5.0\r\n', 'abcde'),
    code: 'http_malformed',
  },
  { name: 'a length in quotes', bytes: post('Content-Length: "5"\r\n', 'abcde'), code: 'http_malformed' },
  {
    name: 'a length that overflows 53 bits',
    bytes: post('Content-Length: 9007199254740993\r\n'),
    code: 'http_malformed',
  },
  {
    name: 'a length that overflows 64 bits to 5',
    bytes: post('Content-Length: 18446744073709551621\r\n', 'abcde'),
    code: 'http_malformed',
  },
  // Transfer codings (RFC 9112, 6.1 and 6.3).
  {
    name: 'two Transfer-Encodings (TE.TE)',
    bytes: post('Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n', '0\r\n\r\n'),
    code: 'http_ambiguous',
  },
  {
    name: 'chunked twice',
    bytes: post('Transfer-Encoding: chunked, chunked\r\n', '0\r\n\r\n'),
    code: 'http_ambiguous',
  },
  {
    name: 'chunked that is not final',
    bytes: post('Transfer-Encoding: chunked, gzip\r\n'),
    code: 'http_ambiguous',
  },
  { name: 'identity', bytes: post('Transfer-Encoding: identity\r\n'), code: 'http_ambiguous' },
  {
    name: 'a coding that begins with x',
    bytes: post('Transfer-Encoding: xchunked\r\n'),
    code: 'http_ambiguous',
  },
  { name: 'chunked in quotes', bytes: post('Transfer-Encoding: "chunked"\r\n'), code: 'http_ambiguous' },
  {
    name: 'chunked with a parameter',
    bytes: post('Transfer-Encoding: chunked;a=b\r\n'),
    code: 'http_ambiguous',
  },
  { name: 'chunked and a comma', bytes: post('Transfer-Encoding: chunked,\r\n'), code: 'http_ambiguous' },
  { name: 'a comma and chunked', bytes: post('Transfer-Encoding: ,chunked\r\n'), code: 'http_ambiguous' },
  { name: 'an empty coding', bytes: post('Transfer-Encoding:\r\n'), code: 'http_ambiguous' },
  {
    name: 'another coding before chunked',
    bytes: post('Transfer-Encoding: gzip, chunked\r\n'),
    code: 'http_transfer_coding_unsupported',
  },
  {
    name: 'a vertical tab before chunked',
    bytes: post('Transfer-Encoding: \x0bchunked\r\n'),
    code: 'http_malformed',
  },
  { name: 'a tab before chunked', bytes: post('Transfer-Encoding:\tchunked\r\n'), code: 'http_ambiguous' },
  { name: 'a tab after chunked', bytes: post('Transfer-Encoding: chunked \t\r\n'), code: 'http_ambiguous' },
  { name: 'a tab after a length', bytes: post('Content-Length: 1\t\r\n', 'a'), code: 'http_ambiguous' },
  {
    name: 'Transfer-Encoding in HTTP/1.0',
    bytes: 'POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    code: 'http_ambiguous',
  },
  {
    name: 'a space before the colon of Transfer-Encoding',
    bytes: post('Transfer-Encoding : chunked\r\n', '0\r\n\r\n'),
    code: 'http_malformed',
  },
  {
    name: 'a tab before the colon of Content-Length',
    bytes: post('Content-Length\t: 5\r\n', 'abcde'),
    code: 'http_malformed',
  },
  // Lines (RFC 9112, 2.2, 5.1 and 5.2).
  {
    name: 'a line feed alone after the request line',
    bytes: 'GET / HTTP/1.1\nHost: x\r\n\r\n',
    code: 'http_malformed',
  },
  { name: 'line feeds alone everywhere', bytes: 'GET / HTTP/1.1\nHost: x\n\n', code: 'http_malformed' },
  { name: 'a line feed alone after a field', bytes: get('A: b\nC: d\r\n'), code: 'http_malformed' },
  {
    name: 'a line feed alone as the empty line',
    bytes: 'GET / HTTP/1.1\r\nHost: x\r\n\n',
    code: 'http_malformed',
  },
  { name: 'a carriage return alone in a value', bytes: get('A: b\rC: d\r\n'), code: 'http_malformed' },
  { name: 'a carriage return alone in a name', bytes: get('A\rB: d\r\n'), code: 'http_malformed' },
  { name: 'a carriage return twice', bytes: get('A: b\r\r\n'), code: 'http_malformed' },
  {
    name: 'a carriage return alone before the request',
    bytes: '\rGET / HTTP/1.0\r\n\r\n',
    code: 'http_malformed',
  },
  { name: 'a folded line', bytes: get('A: b\r\n c\r\n'), code: 'http_malformed' },
  { name: 'a line folded by a tab', bytes: get('A: b\r\n\tc\r\n'), code: 'http_malformed' },
  {
    name: 'white space before the first field',
    bytes: 'GET / HTTP/1.1\r\n Host: x\r\n\r\n',
    code: 'http_malformed',
  },
  { name: 'a field without a colon', bytes: get('Field\r\n'), code: 'http_malformed' },
  { name: 'a field without a name', bytes: get(': a\r\n'), code: 'http_malformed' },
  { name: 'NUL in a value', bytes: get('A: b\0c\r\n'), code: 'http_malformed' },
  { name: 'NUL in a name', bytes: get('A\0: b\r\n'), code: 'http_malformed' },
  { name: 'DEL in a value', bytes: get('A: \x7f\r\n'), code: 'http_malformed' },
  {
    name: 'an octet beyond ASCII in a name',
    bytes: get('Content-Length\xa0: 5\r\n'),
    code: 'http_malformed',
  },
  { name: 'a bracket in a name', bytes: get('A[b]: c\r\n'), code: 'http_malformed' },
  // The request line (RFC 9112, 3).
  { name: 'two spaces after the method', bytes: 'GET  / HTTP/1.0\r\n\r\n', code: 'http_malformed' },
  { name: 'a tab after the method', bytes: 'GET\t/ HTTP/1.0\r\n\r\n', code: 'http_malformed' },
  { name: 'a space in the target', bytes: 'GET /a b HTTP/1.0\r\n\r\n', code: 'http_malformed' },
  { name: 'a fragment in the target', bytes: 'GET /a#b HTTP/1.0\r\n\r\n', code: 'http_malformed' },
  {
    name: 'an octet beyond ASCII in the target',
    bytes: 'GET /\xe9 HTTP/1.0\r\n\r\n',
    code: 'http_malformed',
  },
  { name: 'NUL in the target', bytes: 'GET /\0 HTTP/1.0\r\n\r\n', code: 'http_malformed' },
  { name: 'a relative target', bytes: 'GET a HTTP/1.0\r\n\r\n', code: 'http_malformed' },
  { name: 'no target', bytes: 'GET HTTP/1.0\r\n\r\n', code: 'http_malformed' },
  { name: 'a method that is no token', bytes: 'G(T / HTTP/1.0\r\n\r\n', code: 'http_malformed' },
  { name: 'HTTP/0.9', bytes: 'GET /\r\n\r\n', code: 'http_malformed' },
  { name: 'a space after the version', bytes: 'GET / HTTP/1.0 \r\n\r\n', code: 'http_malformed' },
  { name: 'a version in lower case', bytes: 'GET / http/1.1\r\nHost: x\r\n\r\n', code: 'http_malformed' },
  { name: 'a version of two digits', bytes: 'GET / HTTP/1.10\r\nHost: x\r\n\r\n', code: 'http_malformed' },
  { name: 'a version without a digit', bytes: 'GET / HTTP/1.\r\nHost: x\r\n\r\n', code: 'http_malformed' },
  { name: 'HTTP/1.2', bytes: 'GET / HTTP/1.2\r\nHost: x\r\n\r\n', code: 'http_version_unsupported' },
  {
    name: 'the preface of HTTP/2',
    bytes: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    code: 'http_version_unsupported',
  },
  { name: 'a TLS handshake', bytes: '\x16\x03\x01\x02\x00', code: 'http_malformed' },
  { name: 'CONNECT', bytes: 'CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n', code: 'http_method_not_allowed' },
  {
    name: 'authority form without CONNECT',
    bytes: 'GET x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n',
    code: 'http_malformed',
  },
  { name: '* without OPTIONS', bytes: 'GET * HTTP/1.0\r\n\r\n', code: 'http_malformed' },
  { name: 'another scheme', bytes: 'GET ftp://x/ HTTP/1.1\r\nHost: x\r\n\r\n', code: 'http_malformed' },
  // Host (RFC 9112, 3.2).
  { name: 'no Host', bytes: 'GET / HTTP/1.1\r\n\r\n', code: 'http_malformed' },
  { name: 'two Hosts', bytes: get('Host: y\r\n'), code: 'http_ambiguous' },
  { name: 'two equal Hosts', bytes: get('host: x\r\n'), code: 'http_ambiguous' },
  {
    name: 'two Hosts in HTTP/1.0',
    bytes: 'GET / HTTP/1.0\r\nHost: x\r\nHost: y\r\n\r\n',
    code: 'http_ambiguous',
  },
  ...[
    ['an empty Host', ''],
    ['a list of hosts', 'x, y'],
    ['a Host with a user', 'a@x'],
    ['a Host with a path', 'x/y'],
    ['a Host with a query', 'x?y'],
    ['a Host with a space', 'x y'],
    ['a Host with a bad port', 'x:8o'],
    ['a Host with a large port', 'x:65536'],
    ['a Host with two ports', 'x:80:80'],
    ['a Host that is only a port', ':80'],
    ['a Host with a bad escape', 'x%2'],
    ['a Host with an unclosed literal', '[::1'],
    ['a Host with an empty literal', '[]'],
    ['a Host with text after the literal', '[::1]x'],
    ['a Host beyond ASCII', 'x\xe9'],
  ].map(([name, host]) => ({
    name,
    bytes: `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
    code: 'http_malformed' as const,
  })),
  {
    name: 'an absolute target that disagrees with Host',
    bytes: 'GET http://y/ HTTP/1.1\r\nHost: x\r\n\r\n',
    code: 'http_ambiguous',
  },
  {
    name: 'an absolute target without Host',
    bytes: 'GET http://x/ HTTP/1.1\r\n\r\n',
    code: 'http_malformed',
  },
  {
    name: 'an absolute target with a user',
    bytes: 'GET http://x@y/ HTTP/1.1\r\nHost: y\r\n\r\n',
    code: 'http_malformed',
  },
  {
    name: 'an absolute target without a host',
    bytes: 'GET http:///a HTTP/1.0\r\n\r\n',
    code: 'http_malformed',
  },
  { name: 'an unknown expectation', bytes: get('Expect: 200-ok\r\n'), code: 'http_expectation_failed' },
  // Chunks (RFC 9112, 7.1).
  { name: 'a chunk without a size', bytes: chunked('\r\nabc'), code: 'http_malformed' },
  { name: 'a chunk size that is not hexadecimal', bytes: chunked('g\r\n'), code: 'http_malformed' },
  { name: 'a chunk size with 0x', bytes: chunked('0x5\r\nabcde\r\n'), code: 'http_malformed' },
  { name: 'a chunk size with a sign', bytes: chunked('+5\r\nabcde\r\n'), code: 'http_malformed' },
  { name: 'a negative chunk size', bytes: chunked('-1\r\n'), code: 'http_malformed' },
  { name: 'a chunk size with a space before it', bytes: chunked(' 5\r\nabcde\r\n'), code: 'http_malformed' },
  { name: 'a chunk size with a space after it', bytes: chunked('5 \r\nabcde\r\n'), code: 'http_malformed' },
  { name: 'a chunk size that overflows', bytes: chunked('fffffffffffffffff\r\n'), code: 'http_malformed' },
  {
    name: 'a chunk size that overflows to 5',
    bytes: chunked('10000000000000005\r\nabcde\r\n'),
    code: 'http_malformed',
  },
  { name: 'a chunk size with an underscore', bytes: chunked('1_0\r\n'), code: 'http_malformed' },
  {
    name: 'a line feed alone after a chunk size',
    bytes: chunked('5\nabcde\r\n0\r\n\r\n'),
    code: 'http_malformed',
  },
  {
    name: 'a line feed alone after an extension',
    bytes: chunked('5;a\nabcde\r\n0\r\n\r\n'),
    code: 'http_malformed',
  },
  {
    name: 'a carriage return alone in an extension',
    bytes: chunked('5;a\rb\r\nabcde\r\n'),
    code: 'http_malformed',
  },
  { name: 'an extension without a name', bytes: chunked('5;\r\nabcde\r\n'), code: 'http_malformed' },
  { name: 'an extension with white space', bytes: chunked('5 ;a=b\r\nabcde\r\n'), code: 'http_malformed' },
  { name: 'an extension with an open quote', bytes: chunked('5;a="b\r\nabcde\r\n'), code: 'http_malformed' },
  { name: 'an extension with NUL', bytes: chunked('5;a=\0\r\nabcde\r\n'), code: 'http_malformed' },
  { name: 'an extension without an end', bytes: chunked(`5;${'a'.repeat(300)}`), code: 'http_malformed' },
  { name: 'a chunk longer than its size', bytes: chunked('2\r\nabc\r\n0\r\n\r\n'), code: 'http_malformed' },
  { name: 'a chunk shorter than its size', bytes: chunked('4\r\nabc\r\n0\r\n\r\n'), code: 'http_malformed' },
  { name: 'a line feed alone after a chunk', bytes: chunked('3\r\nabc\n0\r\n\r\n'), code: 'http_malformed' },
  {
    name: 'two carriage returns after a chunk',
    bytes: chunked('3\r\nabc\r\r\n0\r\n\r\n'),
    code: 'http_malformed',
  },
  { name: 'a line feed alone as the last line', bytes: chunked('0\r\n\n'), code: 'http_malformed' },
  { name: 'a carriage return alone as the last line', bytes: chunked('0\r\n\rX'), code: 'http_malformed' },
  // Trailers (RFC 9110, 6.5.1).
  { name: 'a length as a trailer', bytes: chunked('0\r\nContent-Length: 5\r\n\r\n'), code: 'http_malformed' },
  {
    name: 'a coding as a trailer',
    bytes: chunked('0\r\nTransfer-Encoding: chunked\r\n\r\n'),
    code: 'http_malformed',
  },
  { name: 'Host as a trailer', bytes: chunked('0\r\nX: y\r\nHost: y\r\n\r\n'), code: 'http_malformed' },
  {
    name: 'credentials as a trailer',
    bytes: chunked('0\r\nAuthorization: y\r\n\r\n'),
    code: 'http_malformed',
  },
  { name: 'a folded trailer', bytes: chunked('0\r\nX: y\r\n z\r\n\r\n'), code: 'http_malformed' },
  {
    name: 'a trailer that begins with a space',
    bytes: chunked('0\r\n X: y\r\n\r\n'),
    code: 'http_malformed',
  },
  { name: 'a trailer that ends in a line feed', bytes: chunked('0\r\nX: y\n\r\n'), code: 'http_malformed' },
  {
    name: 'a request in place of trailers',
    bytes: chunked('0\r\nGET / HTTP/1.1\r\n\r\n'),
    code: 'http_malformed',
  },
];

for (const { name, bytes, code } of vectors) {
  test(`${name} is refused with ${code}`, () => {
    const reading = readText(bytes);
    assert.equal(reading.error, code, reading.detail);
    // Nothing that looks like a complete request may have come before the refusal.
    assert.deepEqual(
      reading.requests.filter(({ body }) => body !== null),
      [],
    );
    assert.notEqual(reading.detail, '');
  });
}

const accepted: readonly (readonly [name: string, bytes: string, body: string])[] = [
  ['a length with leading zeros (RFC 9110, 8.6)', post('Content-Length: 003\r\n', 'abc'), 'abc'],
  ['a coding in capitals (RFC 9112, 7)', post('Transfer-Encoding: CHUNKED\r\n', '1\r\na\r\n0\r\n\r\n'), 'a'],
  ['chunk sizes with leading zeros', chunked('0001\r\na\r\n000\r\n\r\n'), 'a'],
  ['extensions of every form', chunked('1;a;b=c;d="e;\\"f\t"\r\na\r\n0;x\r\n\r\n'), 'a'],
  ['a harmless trailer', chunked('1\r\na\r\n0\r\nX-Checksum: 1\r\n\r\n'), 'a'],
  ['obs-text in a value (RFC 9110, 5.5)', post('X: \xff\r\nContent-Length: 1\r\n', 'a'), 'a'],
  ['an IPv6 host', 'GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n', ''],
  ['a host with an empty port (RFC 3986, 3.2.3)', 'GET / HTTP/1.1\r\nHost: x:\r\n\r\n', ''],
  ['an HTTP/1.0 request without Host', 'GET / HTTP/1.0\r\n\r\n', ''],
  ['a method that nobody knows', 'BREW / HTTP/1.0\r\n\r\n', ''],
];

for (const [name, bytes, body] of accepted) {
  test(`${name} is accepted`, () => {
    const reading = readText(bytes);
    assert.equal(reading.error, null, reading.detail);
    assert.equal(reading.requests.length, 1);
    assert.equal(reading.requests[0].body, body);
    assert.equal(reading.idle, true);
  });
}
