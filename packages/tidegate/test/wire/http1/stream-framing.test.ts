import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ByteWriter } from '../../../src/kernel/index.ts';
import { beginFlush, endFlush, endOfStream, framingFor } from '../../../src/wire/http1/index.ts';

function flush(text: string, framing: 'chunked' | 'close'): string {
  const out = new ByteWriter(8);
  beginFlush(out, framing);
  out.utf8(text);
  endFlush(out, framing);
  return out.take().toString();
}

describe('A flush of a streamed response', () => {
  test('is one chunk with its size in hexadecimal digits (RFC 9112, section 7.1)', () => {
    assert.equal(flush('é'.repeat(133), 'chunked'), `0000010a\r\n${'é'.repeat(133)}\r\n`);
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 5000 }), (text) => {
        const [, size, content] =
          /^([0-9a-f]{8})\r\n(.*)\r\n$/su.exec(flush(text, 'chunked')) ?? assert.fail();
        assert.equal(content, text);
        assert.equal(Number.parseInt(size, 16), Buffer.byteLength(text));
      }),
    );
  });

  test('without content is nothing: an empty chunk would end the response', () => {
    assert.equal(flush('', 'chunked'), '');
    assert.equal(flush('', 'close'), '');
  });

  test('is as it is where the connection frames it', () => {
    assert.equal(flush('text', 'close'), 'text');
    assert.equal(endOfStream('close'), undefined);
    assert.equal(endOfStream('chunked')?.toString(), '0\r\n\r\n');
    assert.deepEqual([framingFor(0), framingFor(1)], ['close', 'chunked']);
  });
});
