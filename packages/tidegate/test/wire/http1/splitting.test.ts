import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import test from 'node:test';
import fc from 'fast-check';
import { resolveLimits, seededRandom } from '../../../src/kernel/index.ts';
import { cut, mutant } from './mutations.ts';
import { readRequests } from './read-requests.ts';

// Limits that mutants reach, so that their enforcement is compared too.
const tight = resolveLimits({
  httpHeadBytesMax: 160,
  httpHeadersMax: 6,
  httpTargetBytesMax: 24,
  chunkHeaderBytesMax: 16,
});

test('the pieces in which bytes arrive make no difference to what is read, nor to the error', () => {
  fc.assert(
    fc.property(fc.integer(), fc.boolean(), (seed, isTight) => {
      const random = seededRandom(seed);
      const bytes = mutant(random);
      const limits = isTight ? tight : resolveLimits();
      const whole = readRequests([bytes], limits);
      assert.deepEqual(
        readRequests(cut(bytes, random), limits),
        whole,
        JSON.stringify(bytes.toString('latin1')),
      );
    }),
    { numRuns: 3000 },
  );
});

test('a valid stream of requests is read back as it was written, however it is cut', () => {
  const name = fc.stringMatching(/^X-[A-Za-z0-9-]{1,12}$/);
  const value = fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/);
  const request = fc.record({
    method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'X-OWN'),
    target: fc.stringMatching(/^\/[a-z0-9/?&=%._~-]{0,40}$/),
    fields: fc.array(fc.tuple(name, value), { maxLength: 8 }),
    body: fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 4 }),
    chunked: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(request, { minLength: 1, maxLength: 4 }), fc.integer(), (requests, seed) => {
      const parts: Buffer[] = [];
      for (const { method, target, fields, body, chunked } of requests) {
        const framing = chunked
          ? 'Transfer-Encoding: chunked'
          : `Content-Length: ${Buffer.concat(body).length}`;
        const lines = fields.map(([fieldName, fieldValue]) => `${fieldName}: ${fieldValue}\r\n`).join('');
        parts.push(Buffer.from(`${method} ${target} HTTP/1.1\r\nHost: x\r\n${lines}${framing}\r\n\r\n`));
        for (const slice of body) {
          if (chunked) parts.push(Buffer.from(`${slice.length.toString(16)}\r\n`));
          parts.push(Buffer.from(slice));
          if (chunked) parts.push(Buffer.from('\r\n'));
        }
        if (chunked) parts.push(Buffer.from('0\r\n\r\n'));
      }
      const reading = readRequests(cut(Buffer.concat(parts), seededRandom(seed)));
      assert.equal(reading.error, null, reading.detail);
      assert.equal(reading.idle, true);
      assert.deepEqual(
        reading.requests.map(({ method, target, headers, body }) => ({
          method,
          target,
          fields: headers.slice(1, -1),
          body,
        })),
        requests.map(({ method, target, fields, body }) => ({
          method,
          target,
          fields: fields.map(([fieldName, fieldValue]) => [fieldName.toLowerCase(), fieldValue]),
          body: Buffer.concat(body).toString('latin1'),
        })),
      );
    }),
    { numRuns: 500 },
  );
});
