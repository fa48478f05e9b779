import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import type { Writable } from 'node:stream';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import * as ws from 'ws';
import {
  BINARY_FRAME,
  encodeCloseFrame,
  encodeFrame,
  PING_FRAME,
  TEXT_FRAME,
} from '../../../src/wire/websocket/index.ts';
import { receive } from './recorder.ts';

/** The codec of the package, which its types leave out. */
const { Receiver, Sender } = ws as unknown as {
  readonly Receiver: new (options: { readonly isServer: boolean }) => Writable;
  readonly Sender: { frame(data: Buffer, options: Readonly<Record<string, unknown>>): Buffer[] };
};

const payload = fc.uint8Array({ maxLength: 70_000, size: 'large' }).map((bytes) => Buffer.from(bytes));
const text = fc.string({ unit: 'grapheme', maxLength: 400 });

describe('The codec and the codec of the ws package', () => {
  it('understand each other from server to client', () => {
    fc.assert(
      fc.property(fc.array(text), fc.array(payload, { maxLength: 3 }), (texts, payloads) => {
        const told: string[] = [];
        const receiver = new Receiver({ isServer: false });
        receiver.on('message', (data: Buffer, isBinary: boolean) => {
          told.push(data.toString(isBinary ? 'hex' : 'utf8'));
        });
        receiver.on('ping', (data: Buffer) => told.push(`ping ${data}`));
        receiver.on('conclude', (code: number, reason: Buffer) => told.push(`close ${code} ${reason}`));
        for (const message of texts) receiver.write(encodeFrame(TEXT_FRAME, Buffer.from(message)));
        for (const message of payloads) receiver.write(encodeFrame(BINARY_FRAME, message));
        receiver.write(encodeFrame(PING_FRAME, Buffer.from('p')));
        receiver.write(encodeCloseFrame(4410, 'ünder'));
        const hex = payloads.map((message) => message.toString('hex'));
        assert.deepEqual(told, [...texts, ...hex, 'ping p', 'close 4410 ünder']);
      }),
      { numRuns: 30 },
    );
  });

  it('understand each other from client to server, also in fragments', () => {
    fc.assert(
      fc.property(fc.array(payload, { minLength: 1, maxLength: 4 }), (fragments) => {
        const frames = fragments.flatMap((fragment, i) =>
          Sender.frame(Buffer.from(fragment), {
            fin: i === fragments.length - 1,
            opcode: i === 0 ? 2 : 0,
            mask: true,
            readOnly: true,
            rsv1: false,
          }),
        );
        const { told } = receive(Buffer.concat(frames), { messageBytesMax: 1 << 20 });
        assert.deepEqual(told, [`binary ${Buffer.concat(fragments).toString('hex')}`]);
      }),
      { numRuns: 30 },
    );
  });
});
