import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, it } from 'node:test';
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import {
  COMPRESSED_BINARY_FRAME,
  COMPRESSED_TEXT_FRAME,
  CONTINUATION_ENDS,
  CONTINUES,
  deflateMessage,
  inflateMessage,
  PING_FRAME,
  TEXT_BEGINS,
  TEXT_FRAME,
} from '../../../src/wire/websocket/index.ts';
import { clientFrame, receive } from './recorder.ts';

const DEFLATE = { compression: 'deflate' } as const;
const COMPRESSED_TEXT_BEGINS = COMPRESSED_TEXT_FRAME & 0x7f;
/** RFC 7692, section 7.2.3.1: "Hello", compressed. */
const HELLO = Buffer.from('f248cdc9c90700', 'hex');

describe('permessage-deflate (RFC 7692)', () => {
  it('7.2.3.1: reads the example of a compressed message', () => {
    assert.deepEqual(receive(clientFrame(COMPRESSED_TEXT_FRAME, HELLO), DEFLATE).told, ['text Hello']);
  });

  it('7.2.3.1: reads the example in two fragments, of which only the first is marked', () => {
    const stream = Buffer.concat([
      clientFrame(COMPRESSED_TEXT_BEGINS, HELLO.subarray(0, 3)),
      clientFrame(PING_FRAME),
      clientFrame(CONTINUATION_ENDS, HELLO.subarray(3)),
    ]);
    assert.deepEqual(receive(stream, DEFLATE).told, ['ping ', 'text Hello']);
  });

  it('7.2.3.3: reads a block without compression', () => {
    const stored = Buffer.from('000500faff48656c6c6f00', 'hex');
    assert.deepEqual(receive(clientFrame(COMPRESSED_TEXT_FRAME, stored), DEFLATE).told, ['text Hello']);
  });

  it('7.2.3.4: reads a block with BFINAL set', () => {
    const final = Buffer.from('f348cdc9c9070000', 'hex');
    assert.deepEqual(receive(clientFrame(COMPRESSED_TEXT_FRAME, final), DEFLATE).told, ['text Hello']);
  });

  it('7.2.3.5: reads a message of two blocks', () => {
    const blocks = Buffer.from('f24805000000ffffcac9c90700', 'hex');
    assert.deepEqual(receive(clientFrame(COMPRESSED_TEXT_FRAME, blocks), DEFLATE).told, ['text Hello']);
  });

  it('7.2.3.6: sends an empty message as a single zero', () => {
    assert.deepEqual(deflateMessage(Buffer.alloc(0), 15), Buffer.of(0));
    assert.deepEqual(receive(clientFrame(COMPRESSED_TEXT_FRAME, Buffer.of(0)), DEFLATE).told, ['text ']);
  });

  it('6: takes messages that are not compressed, too', () => {
    assert.deepEqual(receive(clientFrame(TEXT_FRAME, 'plain'), DEFLATE).told, ['text plain']);
  });

  it('6.1: refuses RSV1 on a continuation and on a control frame', () => {
    const refused = ['violation 1002 reserved bit set'];
    const rsv1 = 0x40;
    assert.deepEqual(receive(clientFrame(PING_FRAME | rsv1), DEFLATE).told, refused);
    const stream = Buffer.concat([clientFrame(TEXT_BEGINS, 'a'), clientFrame(CONTINUES | rsv1, 'b')]);
    assert.deepEqual(receive(stream, DEFLATE).told, refused);
  });

  it('refuses RSV1 if it was not agreed on', () => {
    assert.deepEqual(receive(clientFrame(COMPRESSED_TEXT_FRAME, HELLO)).told, [
      'violation 1002 reserved bit set',
    ]);
  });

  it('refuses damaged data with 1007', () => {
    const stream = clientFrame(COMPRESSED_BINARY_FRAME, Buffer.of(0xff, 0xff, 0xff));
    assert.deepEqual(receive(stream, DEFLATE).told, ['violation 1007 compressed data is damaged']);
  });

  it('refuses text that is not UTF-8 after decompression with 1007', () => {
    const stream = clientFrame(COMPRESSED_TEXT_FRAME, deflateMessage(Buffer.of(0x61, 0xff), 15));
    assert.deepEqual(receive(stream, DEFLATE).told, ['violation 1007 text is not UTF-8']);
  });

  it('stops a decompression bomb at the limit with 1009, without ever holding it', () => {
    const bomb = deflateMessage(Buffer.alloc(50_000_000), 15);
    const limits = { ...DEFLATE, messageBytesMax: 100_000 };
    const before = process.memoryUsage().arrayBuffers;
    assert.deepEqual(receive(clientFrame(COMPRESSED_BINARY_FRAME, bomb), limits).told, [
      'violation 1009 message too large',
    ]);
    assert.ok(process.memoryUsage().arrayBuffers - before < 2_000_000);
  });

  it('takes a message of exactly the limit, even one that grew by compression', () => {
    const limits = { ...DEFLATE, messageBytesMax: 70_000 };
    const exact = Buffer.alloc(70_000);
    for (let i = 0; i < exact.length; i++) exact[i] = (i * 2_654_435_761) >>> 13;
    const stored = deflateRawSync(exact, { level: 0, finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
    assert.ok(stored.length > exact.length);
    assert.deepEqual(receive(clientFrame(COMPRESSED_BINARY_FRAME, stored), limits).told, [
      `binary ${exact.toString('hex')}`,
    ]);
    const tooLarge = clientFrame(COMPRESSED_BINARY_FRAME, deflateMessage(Buffer.alloc(70_001), 15));
    assert.deepEqual(receive(tooLarge, limits).told, ['violation 1009 message too large']);
  });

  it('compresses within the window that the client asked for', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 3000 }),
        fc.integer({ min: 9, max: 15 }),
        (message, windowBits) => {
          const repeated = Buffer.concat([message, message, message]);
          const compressed = Buffer.concat([
            deflateMessage(repeated, windowBits),
            Buffer.of(0, 0, 0xff, 0xff),
          ]);
          const { Z_SYNC_FLUSH } = constants;
          assert.deepEqual(inflateRawSync(compressed, { windowBits, finishFlush: Z_SYNC_FLUSH }), repeated);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('tells what is too large from what is damaged', () => {
    assert.equal(inflateMessage(deflateMessage(Buffer.alloc(10), 15), 9), 'too_large');
    assert.equal(inflateMessage(Buffer.of(0xff), 9), 'invalid');
  });
});
