import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import fc from 'fast-check';
import { LINE_SUBJECTS } from '../../src/kernel/index.ts';
import { FRAME_KINDS, type Frame, FrameReader } from '../../src/workers/frame.ts';

const anyFrame = fc.record({
  kind: fc.constantFrom(...FRAME_KINDS),
  subject: fc.constantFrom(...LINE_SUBJECTS),
  id: fc.integer({ min: 0, max: 0xffffffff }),
  payload: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
});

function bytesOf({ kind, subject, id, payload }: Frame): Buffer {
  const header = Buffer.alloc(10);
  header.writeUInt32LE(payload.length, 0);
  header[4] = LINE_SUBJECTS.indexOf(subject);
  header[5] = FRAME_KINDS.indexOf(kind);
  header.writeUInt32LE(id, 6);
  return Buffer.concat([header, payload]);
}

test('frames come out as they went in, wherever the bytes are cut', () => {
  fc.assert(
    fc.property(
      fc.array(anyFrame, { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 40 }),
      (frames, cuts) => {
        const bytes = Buffer.concat(frames.map(bytesOf));
        const taken: Frame[] = [];
        const reader = new FrameReader();
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const length = cuts[i % cuts.length];
          reader.receive(Buffer.from(bytes.subarray(at, at + length)), (frame) => taken.push(frame));
          at += length;
        }
        assert.deepEqual(
          taken,
          frames.map((frame) => ({ ...frame })),
        );
      },
    ),
  );
});

test('a frame that means nothing is refused', () => {
  const bytes = bytesOf({ kind: 'told', subject: 'life', id: 0, payload: Buffer.alloc(0) });
  bytes[4] = LINE_SUBJECTS.length;
  assert.throws(() => new FrameReader().receive(bytes, () => {}), /out of step/);
});
