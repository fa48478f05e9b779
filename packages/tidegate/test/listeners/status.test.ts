import assert from 'node:assert/strict';
import test from 'node:test';
import { ERRORS, type ErrorCode, TidegateError } from '../../src/kernel/index.ts';
import { HTTP_STATUS, problemResponse } from '../../src/listeners/index.ts';

const codes = Object.keys(ERRORS) as ErrorCode[];

test('every error has a status, of 4xx if the client is to blame and of 5xx if the server is', () => {
  // Statuses of 5xx that tell the client that it asks too much: of the protocol (RFC 9110, 15.6.2 and 15.6.6),
  // of a cache that has nothing stored (RFC 9111, 5.2.1.7), and of an origin that has no WebSockets over HTTP/2 (RFC 8441).
  const protocol: readonly ErrorCode[] = [
    'http_version_unsupported',
    'http_transfer_coding_unsupported',
    'not_cached',
    'websocket_unsupported',
  ];
  for (const code of codes) {
    const family = ERRORS[code].blame === 'client' && !protocol.includes(code) ? 4 : 5;
    assert.equal(Math.floor(HTTP_STATUS[code] / 100), family, code);
  }
});

test('a problem says what happened, and never why the server failed (RFC 9457)', () => {
  for (const code of codes) {
    const { status, body } = problemResponse(
      new TidegateError(code, 'It was so.', { cause: new Error('secret') }),
    );
    const { title, retryable, hint } = ERRORS[code];
    assert.deepEqual(JSON.parse(body), {
      type: `urn:tidegate:error:${code}`,
      title,
      status,
      detail: 'It was so.',
      code,
      retryable,
      hint,
    });
  }
});

test('503 says when to come back (RFC 9110, 10.2.3), and 405 what is allowed (15.5.6)', () => {
  assert.equal(problemResponse(new TidegateError('draining')).headers['retry-after'], '1');
  assert.match(String(problemResponse(new TidegateError('http_method_not_allowed')).headers.allow), /GET/);
  assert.equal(problemResponse(new TidegateError('internal')).headers['retry-after'], undefined);
});
