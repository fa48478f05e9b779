import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  BINARY_BEGINS,
  BINARY_FRAME,
  CLOSE_FRAME,
  COMPRESSED_BINARY_FRAME,
  COMPRESSED_TEXT_FRAME,
  CONTINUATION_ENDS,
  CONTINUES,
  closePayload,
  deflateMessage,
  PING_FRAME,
  PONG_FRAME,
  type ReceiverOptions,
  TEXT_BEGINS,
  TEXT_FRAME,
} from '../../../src/wire/websocket/index.ts';
import { clientFrame, receive } from './recorder.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 80 }).map((value) => Buffer.from(value));
const bytes = fc.uint8Array({ maxLength: 300 }).map((value) => Buffer.from(value));
const control = fc.uint8Array({ maxLength: 125 });
const key = fc.nat(0xffff_ffff);

/** A message in fragments, with pings between them. */
const fragmented = fc
  .record({
    binary: fc.boolean(),
    parts: fc.array(text, { minLength: 2, maxLength: 5 }),
    ping: fc.boolean(),
    key,
  })
  .map(({ binary, parts, ping, key }) =>
    Buffer.concat(
      parts.flatMap((part, i) => {
        const begins = binary ? BINARY_BEGINS : TEXT_BEGINS;
        const firstByte = i === 0 ? begins : i === parts.length - 1 ? CONTINUATION_ENDS : CONTINUES;
        const frame = clientFrame(firstByte, part, key);
        return ping ? [frame, clientFrame(PING_FRAME, part.subarray(0, 125), key)] : [frame];
      }),
    ),
  );

const frame = fc.oneof(
  fc.tuple(text, key).map(([payload, k]) => clientFrame(TEXT_FRAME, payload, k)),
  fc.tuple(bytes, key).map(([payload, k]) => clientFrame(BINARY_FRAME, payload, k)),
  fc
    .tuple(text, key)
    .map(([payload, k]) => clientFrame(COMPRESSED_TEXT_FRAME, deflateMessage(payload, 15), k)),
  fc
    .tuple(bytes, key)
    .map(([payload, k]) => clientFrame(COMPRESSED_BINARY_FRAME, deflateMessage(payload, 9), k)),
  fc.tuple(control, key).map(([payload, k]) => clientFrame(PING_FRAME, payload, k)),
  fc.tuple(control, key).map(([payload, k]) => clientFrame(PONG_FRAME, payload, k)),
  fragmented,
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.nat(0xffff), fc.string({ maxLength: 20 }))
      .map(([code, reason]) => clientFrame(CLOSE_FRAME, closePayload(code, reason))),
  },
  // Whatever it is: text that is not UTF-8, bits that may not be set, or noise.
  {
    weight: 1,
    arbitrary: fc.tuple(fc.nat(255), bytes).map(([first, payload]) => clientFrame(first, payload)),
  },
  { weight: 1, arbitrary: bytes },
);

const cuts = fc.array(fc.nat(2000), { maxLength: 40 });
const limits: Partial<ReceiverOptions> = { compression: 'deflate', messageBytesMax: 500, framesMax: 8 };

describe('The WebSocket receiver, whatever the slices', () => {
  it('tells the same', () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 8 }), cuts, (frames, at) => {
        const stream = Buffer.concat(frames);
        assert.deepEqual(receive(stream, limits, at).told, receive(stream, limits).told);
      }),
      { numRuns: 1500 },
    );
  });

  it('tells at most one end, as the last thing', () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 12 }), (frames) => {
        const { told } = receive(Buffer.concat(frames), limits);
        const end = told.findIndex((event) => /^(close|violation) /.test(event));
        assert.ok(end === -1 || end === told.length - 1);
      }),
    );
  });
});
