import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import test from 'node:test';
import fc from 'fast-check';
import { resolveLimits, seededRandom } from '../../../src/kernel/index.ts';
import { cut, mutant, RESPONSE_SEEDS } from './mutations.ts';
import { type ReadResponse, readResponse } from './read-response.ts';
import { compareResponsesWithNode } from './response-differential.ts';

const limits = resolveLimits();

const read = (text: string, method = 'GET'): ReturnType<typeof readResponse> =>
  readResponse([Buffer.from(text, 'latin1')], limits, method);

function response(text: string, method = 'GET'): ReadResponse {
  const { response, error } = read(text, method);
  assert.ok(response !== null, error ?? 'incomplete');
  return response;
}

test('what the parser accepts, the client of node:http reads the same way: 10,000 mutants', async () => {
  const compared = await compareResponsesWithNode(20_261_121, 10_000);
  assert.ok(compared > 2000, `Only ${compared} responses were accepted, which compares too little.`);
});

test('the pieces in which bytes arrive make no difference to what is read, nor to the error', () => {
  const tight = resolveLimits({ httpHeadBytesMax: 80, httpHeadersMax: 3, chunkHeaderBytesMax: 16 });
  fc.assert(
    fc.property(fc.integer(), fc.boolean(), (seed, isTight) => {
      const random = seededRandom(seed);
      const bytes = mutant(random, RESPONSE_SEEDS);
      const bounds = isTight ? tight : limits;
      assert.deepEqual(readResponse(cut(bytes, random), bounds), readResponse([bytes], bounds));
    }),
    { numRuns: 3000 },
  );
});

test('a body ends as RFC 9112, section 6.3 says', () => {
  assert.equal(response('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef').body, 'abc');
  assert.equal(response('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n', 'HEAD').body, '');
  assert.equal(response('HTTP/1.1 204 No\r\nContent-Length: 3\r\n\r\nabc').body, '');
  assert.equal(response('HTTP/1.1 304 Same\r\nTransfer-Encoding: chunked\r\n\r\n').body, '');
  assert.equal(response('HTTP/1.1 200 OK\r\n\r\nto the end').body, 'to the end');
  const chunked = response(
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n',
  );
  assert.equal(chunked.body, 'abc');
  assert.deepEqual(chunked.trailers, [['x', 'y']]);
});

test('interim responses come before the final one (RFC 9110, section 15.2)', () => {
  const { interims, status } = response(
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 201 Made\r\nContent-Length: 0\r\n\r\n',
  );
  assert.deepEqual(interims, [100, 103]);
  assert.equal(status, 201);
});

const FAULTS: readonly (readonly [what: string, bytes: string])[] = [
  ['another protocol', 'RTSP/1.0 200 OK\r\n\r\n'],
  ['another major version', 'HTTP/2.0 200 OK\r\n\r\n'],
  ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n'],
  ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n'],
  ['a class of statuses that there is not', 'HTTP/1.1 600 OK\r\n\r\n'],
  ['two spaces before the status', 'HTTP/1.1  200 OK\r\n\r\n'],
  ['a control character in the reason', 'HTTP/1.1 200 O\x07K\r\n\r\n'],
  ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na'],
  ['a list of lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\na'],
  ['a length beside chunks', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n'],
  ['chunks in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'],
  ['a transfer coding that is not chunked', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n'],
  ['white space before a colon', 'HTTP/1.1 200 OK\r\nX : a\r\n\r\n'],
  ['a folded line', 'HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n'],
  ['a bare line feed', 'HTTP/1.1 200 OK\nX: a\n\n'],
  ['a chunk size that is no number', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n'],
  ['a body that is too short', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab'],
  ['no end of chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n'],
  ['half a head', 'HTTP/1.1 200 OK\r\nX: y\r\n'],
];

for (const [what, bytes] of FAULTS) {
  test(`${what} is refused`, () => {
    const { response, error } = read(bytes);
    assert.equal(response, null);
    assert.notEqual(error, null);
  });
}
