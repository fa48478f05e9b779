import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import test from 'node:test';
import fc from 'fast-check';
import { Http1Head } from '../../../src/gateway/origin/http1-head.ts';
import { requestFields, requestLines } from '../../../src/gateway/proxy/request-fields.ts';
import { resolveLimits } from '../../../src/kernel/index.ts';
import type { HttpRequest } from '../../../src/listeners/port.ts';
import {
  type FieldLines,
  type ReceivedResponse,
  type RequestHead,
  RequestParser,
  ResponseParser,
} from '../../../src/wire/http1/index.ts';

const LIMITS = resolveLimits();

const NAMES = [
  ...['Accept', 'accept-encoding', 'Cookie', 'COOKIE', 'Date', 'X-Odd', 'X-Hop', 'Set-Cookie', 'Age'],
  ...['Connection', 'Keep-Alive', 'TE', 'Upgrade', 'Trailer', 'Proxy-Connection', 'X-Forwarded-For'],
  ...['Forwarded', 'Via', 'X-Real-IP', 'Grip-Sig', 'Meta-User', 'X-Taken', 'Server', 'Content-Type'],
];

const value = fc.oneof(
  fc.constantFrom('keep-alive', 'X-Hop', 'keep-alive, x-hop', 'close', 'trailers', 'a b', '', 'timeout=5'),
  fc
    .string({ unit: fc.constantFrom('a', 'é', ' ', ',', ';', '=', '"', '\t'), maxLength: 12 })
    .map((text) => text.trim()),
);

/** What may stand around a value: mostly what is written here, too. */
const space = fc.constantFrom(' ', ' ', ' ', ' ', ' ', ' ', '', '  ', '\t', ' \t');
const behind = fc.constantFrom('', '', '', '', '', '', ' ', '\t');

const lines = fc.array(
  fc.tuple(fc.constantFrom(...NAMES), space, value, behind).map((parts) => {
    const [name, before, text, after] = parts;
    return `${name}:${before}${text}${after}`;
  }),
  { maxLength: 12 },
);

/** The trusted proxies on the way. */
const ways = fc.constantFrom<readonly string[]>([], ['10.0.0.1'], ['2001:db8::7', '10.0.0.1']);

const asLines = (pairs: readonly string[]): string => {
  let text = '';
  for (let at = 0; at < pairs.length; at += 2) text += `${pairs[at]}: ${pairs[at + 1]}\r\n`;
  return text;
};

function parsedRequest(fields: readonly string[]): RequestHead | null {
  const parser = new RequestParser(LIMITS);
  parser.push(
    Buffer.from(
      `GET / HTTP/1.1\r\nHost: a.example\r\n${fields.map((line) => `${line}\r\n`).join('')}\r\n`,
      'latin1',
    ),
  );
  return parser.next() === 'head' ? parser.head : null;
}

function parsedResponse(fields: readonly string[]): ReceivedResponse | null {
  const parser = new ResponseParser({ ...LIMITS, httpHeadersMax: LIMITS.upstreamHeadersMax });
  parser.expect('GET');
  parser.push(
    Buffer.from(`HTTP/1.1 204 No Content\r\n${fields.map((line) => `${line}\r\n`).join('')}\r\n`, 'latin1'),
  );
  return parser.next() === 'head' ? parser.head : null;
}

test('the lines of a request that is passed on say what its names and values say', () => {
  let plain = 0;
  fc.assert(
    fc.property(lines, fc.boolean(), ways, (fields, speaksGrip, proxies) => {
      const head = parsedRequest(fields);
      if (head?.fields.isPlain !== true) return;
      plain++;
      const headers: FieldLines = head.fields;
      const request: HttpRequest = {
        method: 'GET',
        target: '/',
        path: '/',
        query: new URLSearchParams(),
        body: { lengthBytes: 0, receive() {}, pause() {}, resume() {} },
        clientCertificate: null,
        headers,
        host: 'a.example',
        remoteAddress: '127.0.0.1',
        proxies,
        scheme: 'http',
        majorVersion: 1,
        minorVersion: 1,
      };
      const terms = {
        rules: {
          remove: new Set(['x-taken']),
          add: ['X-Added', '1'],
          viaName: 'tidegate-test',
          speaksGrip: speaksGrip ? 'yes' : 'no',
        },
        hostName: null,
        told: ['X-Told', '2'],
        changes: null,
      } as const;
      const pairs = requestFields(request, terms);
      const expected = asLines(pairs) + (pairs.at(-2) === 'TE' ? 'Connection: TE\r\n' : '');
      assert.equal(requestLines(request, headers, terms, 'a.example'), expected);
    }),
    { numRuns: 2000 },
  );
  assert.ok(plain > 200, `only ${plain} heads were plain`);
});

test('the lines of an answer that is passed on say what its names and values say', () => {
  let plain = 0;
  fc.assert(
    fc.property(lines, (fields) => {
      const received = parsedResponse(fields);
      if (received === null) return;
      const head = new Http1Head(received);
      assert.equal(head.lines === null, !received.fields.isPlain);
      if (head.lines === null) return;
      plain++;
      assert.equal(head.lines.text, asLines(head.fields));
      const names = head.fields.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase());
      assert.equal(head.lines.isDated, names.includes('date'));
    }),
    { numRuns: 2000 },
  );
  assert.ok(plain > 200, `only ${plain} heads were plain`);
});

test('a head is plain if its lines are as they are written here', () => {
  for (const [line, isPlain] of [
    ['X-A: 1', true],
    ['X-A: 1 2', true],
    ['X-A: ', true],
    ['X-A:1', false],
    ['X-A:', false],
    ['X-A:  1', false],
    ['X-A:\t1', false],
    ['X-A: 1 ', false],
    ['X-A: 1\t', false],
  ] as const) {
    assert.equal(parsedRequest([line])?.fields.isPlain, isPlain, JSON.stringify(line));
  }
});
