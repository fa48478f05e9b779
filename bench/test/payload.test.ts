import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blankPayload, numberedPayload, postRequest, textFrame } from '../support/payload.ts';

test('a payload has the size that was asked for and needs no escaping in JSON', () => {
  for (const bytes of [32, 100, 1024]) {
    const payload = blankPayload(bytes);
    assert.equal(Buffer.byteLength(payload), bytes);
    assert.equal(JSON.stringify(payload), `"${payload}"`);
  }
  assert.throws(() => blankPayload(31), RangeError);
});

test('a numbered payload differs from a blank one in its sequence alone', () => {
  const blank = blankPayload();
  const numbered = numberedPayload(42);
  assert.equal(numbered.slice(0, 14), '|000:00000042:');
  assert.equal(numbered.slice(14), blank.slice(14));
});

test('a request tells the length of its body', () => {
  const request = postRequest('/publish', 'abc', { 'Content-Type': 'text/plain' }).toString('latin1');
  assert.equal(
    request,
    'POST /publish HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nabc',
  );
});

test('a short and a long text frame are masked and tell their length (RFC 6455, 5.2)', () => {
  const short = textFrame('hello');
  assert.deepEqual([...short.subarray(0, 2)], [0x81, 0x85]);
  const key = short.subarray(2, 6);
  assert.equal(Buffer.from(short.subarray(6).map((byte, at) => byte ^ key[at % 4]!)).toString(), 'hello');
  const long = textFrame('x'.repeat(300));
  assert.deepEqual([...long.subarray(0, 4)], [0x81, 0xfe, 300 >> 8, 300 & 0xff]);
  assert.equal(long.length, 8 + 300);
});
