import { Buffer } from 'node:buffer';
import type { Random } from '../../../src/kernel/index.ts';

/** Valid requests, of every form that the grammar has, from which mutants are bred. */
const SEEDS: readonly string[] = [
  'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
  'GET /a/b?c=d&e HTTP/1.0\r\n\r\n',
  'HEAD /x HTTP/1.1\r\nHost: localhost:8080\r\nAccept: */*\r\nUser-Agent: curl/8.0\r\nConnection: close\r\n\r\n',
  'POST /p HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 11\r\n\r\nhello world',
  'PUT /p HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;a=b\r\n world\r\n0\r\n\r\n',
  'POST /t HTTP/1.1\r\nhost: [::1]:80\r\nTRANSFER-ENCODING: Chunked\r\n\r\na;x="y\\"z"\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\n',
  'OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n',
  'GET http://x:80/a?b HTTP/1.1\r\nHost: x\r\nX: \ty \r\nEmpty:\r\n\r\n',
  'POST /e HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nok',
  '\r\nDELETE /d HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: keep-alive, x\r\n\r\n',
  'GET /ws HTTP/1.1\r\nHost: x\r\nX-Long: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nCookie: a=b; c="d"\r\n\r\n',
];

/** Valid responses to GET, of every form that the grammar has. */
export const RESPONSE_SEEDS: readonly string[] = [
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
  'HTTP/1.1 204 \r\nX: y\r\n\r\n',
  'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nContent-Length: 9\r\n\r\n',
  'HTTP/1.0 200 OK\r\n\r\nuntil the end',
  'HTTP/1.1 200\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;a=b\r\n world\r\n0\r\n\r\n',
  'HTTP/1.1 200 OK\r\nTRANSFER-ENCODING: Chunked\r\n\r\na\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\n',
  'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
  'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 404 No\r\nContent-Length: 1\r\n\r\nx',
  'HTTP/1.1 500 \xfcber\r\nX: \ty \r\nEmpty:\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\nContent-Length: 3\r\n\r\nabc',
];

/** What the grammar turns on: inserted where nobody expects it. */
const MORSELS: readonly string[] = [
  ...['\r', '\n', '\r\n', '\r\n\r\n', '\n\n', '\r\r\n', ' ', '\t', '\0', '\x0b', '\x7f', '\x80', '\xff'],
  ...[
    ':',
    ';',
    ',',
    '"',
    '\\',
    '=',
    '#',
    '?',
    '/',
    '*',
    '@',
    '%',
    '%0d%0a',
    '[',
    ']',
    '+',
    '-',
    '0',
    '1',
    '5',
    'a',
    'F',
  ],
  ...[
    '0x',
    '00',
    '5,5',
    '0\r\n\r\n',
    '1\r\na\r\n',
    'ffffffffffffffff',
    '9007199254740993',
    'HTTP/1.1',
    'HTTP/1.0',
    'HTTP/2.0',
  ],
  ...[
    'Content-Length: 5\r\n',
    'Content-Length: 0\r\n',
    'content-length:1\r\n',
    'Transfer-Encoding: chunked\r\n',
  ],
  ...[
    'Transfer-Encoding: gzip, chunked\r\n',
    'Transfer-Encoding: identity\r\n',
    'transfer-encoding:\tchunked\r\n',
  ],
  ...[
    'Host: y\r\n',
    'Host: x\r\n',
    'Connection: close\r\n',
    'Connection: upgrade\r\nUpgrade: h2c\r\n',
    ' folded\r\n',
  ],
  ...[
    'Trailer: X\r\n',
    'Expect: 100-continue\r\n',
    'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
    'chunked',
    'http://x/',
  ],
];

/** A seed, or several after each other, with one to four faults. The same random numbers give the same mutant. */
export function mutant(random: Random, seeds: readonly string[] = SEEDS): Buffer {
  let text = pick(random, seeds);
  while (random.uint32() % 3 === 0) text += pick(random, seeds);
  for (let faults = 1 + (random.uint32() % 4); faults > 0; faults--) text = mutate(text, random, seeds);
  return Buffer.from(text, 'latin1');
}

function mutate(text: string, random: Random, seeds: readonly string[]): string {
  const at = random.uint32() % (text.length + 1);
  const to = Math.min(text.length, at + 1 + (random.uint32() % 4));
  switch (random.uint32() % 7) {
    case 0:
      return text.slice(0, at) + text.slice(to);
    case 1:
      return text.slice(0, at) + pick(random, MORSELS) + text.slice(to);
    case 2:
      return text.slice(0, at) + String.fromCharCode(random.uint32() % 256) + text.slice(at + 1);
    case 3: {
      // A field line twice, or a line of another request.
      const lines = text.split('\r\n');
      const line = lines[random.uint32() % lines.length];
      lines.splice(random.uint32() % lines.length, 0, line);
      return lines.join('\r\n');
    }
    case 4: {
      const other = pick(random, seeds);
      return text.slice(0, at) + other.slice(random.uint32() % other.length);
    }
    default:
      return text.slice(0, at) + pick(random, MORSELS) + text.slice(at);
  }
}

function pick(random: Random, from: readonly string[]): string {
  return from[random.uint32() % from.length];
}

/** Cuts bytes at random places; pieces of one byte are frequent. */
export function cut(bytes: Buffer, random: Random): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = random.uint32() % 2 === 0 ? 1 : 1 + (random.uint32() % 40);
    pieces.push(bytes.subarray(at, at + length));
    at += length;
  }
  return pieces;
}
