import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ByteWriter } from '../../../src/kernel/index.ts';
import {
  applyMask,
  BINARY_FRAME,
  CLOSE_REASON_BYTES_MAX,
  encodeCloseFrame,
  encodeFrame,
  openFrame,
  sealFrame,
  TEXT_FRAME,
  writeFrame,
} from '../../../src/wire/websocket/index.ts';
import { clientFrame, receive } from './recorder.ts';

const CLIENT = { role: 'client', messageBytesMax: 1 << 20 } as const;

describe('WebSocket frames', () => {
  it('are the examples of RFC 6455, section 5.7', () => {
    assert.equal(encodeFrame(TEXT_FRAME, Buffer.from('Hello')).toString('hex'), '810548656c6c6f');
    assert.equal(clientFrame(TEXT_FRAME, 'Hello', 0x37fa213d).toString('hex'), '818537fa213d7f9f4d5158');
    assert.equal(encodeFrame(BINARY_FRAME, Buffer.alloc(256)).subarray(0, 4).toString('hex'), '827e0100');
    assert.equal(
      encodeFrame(BINARY_FRAME, Buffer.alloc(65_536)).subarray(0, 10).toString('hex'),
      '827f0000000000010000',
    );
  });

  it('have the shortest length at every border, whoever writes them', () => {
    for (const length of [0, 1, 125, 126, 127, 65_535, 65_536, 65_537]) {
      const payload = Buffer.alloc(length, 0x61);
      const whole = encodeFrame(TEXT_FRAME, payload);
      const out = new ByteWriter(8);
      out.ascii('before');
      writeFrame(out, TEXT_FRAME, payload);
      const mark = openFrame(out);
      out.bytes(payload);
      sealFrame(out, mark, TEXT_FRAME);
      out.ascii('after');
      assert.deepEqual(
        out.take(),
        Buffer.concat([Buffer.from('before'), whole, whole, Buffer.from('after')]),
      );
      assert.deepEqual(receive(whole, CLIENT).told, [`text ${payload}`]);
    }
  });

  it('close with a reason that is cut between characters, not inside one', () => {
    assert.equal(encodeCloseFrame(1000).toString('hex'), '880203e8');
    assert.equal(encodeCloseFrame(1005).toString('hex'), '8800');
    for (const reason of ['x'.repeat(200), `x${'ä'.repeat(100)}`, '💩'.repeat(40)]) {
      const [told] = receive(encodeCloseFrame(1001, reason), CLIENT).told;
      const received = told.slice('close 1001 '.length);
      assert.ok(reason.startsWith(received));
      assert.ok(Buffer.byteLength(received) > CLOSE_REASON_BYTES_MAX - 4);
    }
  });
});

describe('Masking', () => {
  it('gives each byte the byte of the key that it is due, for any alignment, length and phase', () => {
    const size = fc.integer({ min: 0, max: 400 });
    fc.assert(
      fc.property(fc.nat(0xffff_ffff), size, fc.nat(9), fc.nat(9), (key, length, offset, phase) => {
        const bytes = Buffer.alloc(offset + length + 5, 0x55);
        applyMask(bytes, offset, offset + length, key, phase);
        const expected = Buffer.alloc(offset + length + 5, 0x55);
        for (let i = 0; i < length; i++)
          expected[offset + i] ^= (key >>> (24 - 8 * ((i + phase) % 4))) & 0xff;
        assert.deepEqual(bytes, expected);
      }),
    );
  });
});
