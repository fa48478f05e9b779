import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, it } from 'node:test';
import { EMPTY } from '../../../src/kernel/index.ts';
import {
  BINARY_BEGINS,
  BINARY_FRAME,
  CLOSE_FRAME,
  CONTINUATION_ENDS,
  CONTINUES,
  encodeFrame,
  isCloseCode,
  PING_FRAME,
  PONG_FRAME,
  type ReceiverOptions,
  TEXT_BEGINS,
  TEXT_FRAME,
  WebSocketReceiver,
} from '../../../src/wire/websocket/index.ts';
import { clientFrame, Recorder, receive, receiveBytewise, SERVER } from './recorder.ts';

/** A frame with whatever its head says. */
const raw = (...bytes: number[]): Buffer => Buffer.from(bytes);
const closeOf = (code: number, reason: string | Buffer = ''): Buffer => {
  const payload = Buffer.concat([Buffer.alloc(2), Buffer.from(reason)]);
  payload.writeUInt16BE(code);
  return clientFrame(CLOSE_FRAME, payload);
};

interface Case {
  readonly rule: string;
  readonly stream: readonly Buffer[];
  readonly told: readonly string[];
  readonly options?: Partial<ReceiverOptions>;
}

const RFC_HELLO = raw(0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58);

const accepted: Case[] = [
  { rule: '5.7: a single masked text frame', stream: [RFC_HELLO], told: ['text Hello'] },
  {
    rule: '5.6: empty messages',
    stream: [clientFrame(TEXT_FRAME), clientFrame(BINARY_FRAME)],
    told: ['text ', 'binary '],
  },
  {
    rule: '5.4: fragments, some empty, make one message',
    stream: [
      clientFrame(TEXT_BEGINS, 'Hel'),
      clientFrame(CONTINUES),
      clientFrame(CONTINUES, 'l'),
      clientFrame(CONTINUATION_ENDS, 'o'),
    ],
    told: ['text Hello'],
  },
  {
    rule: '5.4: control frames between the fragments are told at once',
    stream: [
      clientFrame(BINARY_BEGINS, raw(1)),
      clientFrame(PING_FRAME, raw(7)),
      clientFrame(PONG_FRAME),
      clientFrame(CONTINUATION_ENDS, raw(2)),
    ],
    told: ['ping 07', 'pong ', 'binary 0102'],
  },
  {
    rule: '5.5.2: a ping of 125 bytes',
    stream: [clientFrame(PING_FRAME, Buffer.alloc(125))],
    told: [`ping ${'00'.repeat(125)}`],
  },
  { rule: '5.5.1: a close frame without code', stream: [clientFrame(CLOSE_FRAME)], told: ['close 1005 '] },
  {
    rule: '5.5.1: a close frame with code and reason',
    stream: [closeOf(1000, 'über')],
    told: ['close 1000 über'],
  },
  {
    rule: '5.5.1: nothing is read after a close frame',
    stream: [closeOf(1000), RFC_HELLO, raw(0xff)],
    told: ['close 1000 '],
  },
  {
    rule: '5.2: lengths of 126 and of 65,536',
    stream: [clientFrame(BINARY_FRAME, Buffer.alloc(126)), clientFrame(BINARY_FRAME, Buffer.alloc(65_536))],
    told: [`binary ${'00'.repeat(126)}`, `binary ${'00'.repeat(65_536)}`],
  },
  { rule: '5.3: a mask of zeros', stream: [clientFrame(TEXT_FRAME, 'a', 0)], told: ['text a'] },
  {
    rule: '5.1: a client takes frames without mask',
    stream: [encodeFrame(TEXT_FRAME, Buffer.from('a'))],
    told: ['text a'],
    options: { role: 'client' },
  },
  {
    rule: '8.1: characters cut by fragments',
    stream: [
      clientFrame(TEXT_BEGINS, raw(0xf0, 0x9f)),
      clientFrame(CONTINUES, raw(0x92)),
      clientFrame(CONTINUATION_ENDS, raw(0xa9)),
    ],
    told: ['text 💩'],
  },
];

const refused: Case[] = [
  {
    rule: '5.1: a frame without mask',
    stream: [raw(0x81, 0x05)],
    told: ['violation 1002 frame without mask'],
  },
  {
    rule: '5.1: a client refuses a masked frame',
    stream: [RFC_HELLO],
    told: ['violation 1002 frame with mask'],
    options: { role: 'client' },
  },
  ...[0x10, 0x20, 0x40, 0x50, 0x70].map((bits) => ({
    rule: `5.2: reserved bits ${bits.toString(2)}`,
    stream: [raw(TEXT_FRAME | bits)],
    told: ['violation 1002 reserved bit set'],
  })),
  ...[3, 4, 5, 6, 7, 0xb, 0xc, 0xd, 0xe, 0xf].map((opcode) => ({
    rule: `5.2: reserved opcode ${opcode}`,
    stream: [raw(0x80 | opcode)],
    told: ['violation 1002 reserved opcode'],
  })),
  {
    rule: '5.2: 125 in the 16-bit form',
    stream: [raw(0x82, 0xfe, 0, 125)],
    told: ['violation 1002 frame length not in its shortest form'],
  },
  {
    rule: '5.2: 65,535 in the 64-bit form',
    stream: [raw(0x82, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff)],
    told: ['violation 1002 frame length not in its shortest form'],
  },
  {
    rule: '5.2: a length with the highest bit set',
    stream: [raw(0x82, 0xff, 0x80)],
    told: ['violation 1002 frame length out of range'],
  },
  {
    rule: '5.5: a ping longer than 125 bytes',
    stream: [raw(0x89, 0xfe)],
    told: ['violation 1002 control frame too long'],
  },
  {
    rule: '5.5: a fragmented ping',
    stream: [raw(0x09)],
    told: ['violation 1002 control frame in fragments'],
  },
  {
    rule: '5.4: a continuation of nothing',
    stream: [raw(0x80)],
    told: ['violation 1002 continuation of nothing'],
  },
  {
    rule: '5.4: a continuation after a whole message',
    stream: [RFC_HELLO, raw(0x00)],
    told: ['text Hello', 'violation 1002 continuation of nothing'],
  },
  {
    rule: '5.4: a message inside a message',
    stream: [clientFrame(TEXT_BEGINS, 'a'), raw(0x81)],
    told: ['violation 1002 message inside a message'],
  },
  {
    rule: '5.5.1: a close payload of one byte',
    stream: [clientFrame(CLOSE_FRAME, raw(3))],
    told: ['violation 1002 close code cut short'],
  },
  ...[0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535].map((code) => ({
    rule: `7.4: close code ${code}`,
    stream: [closeOf(code)],
    told: ['violation 1002 close code not allowed'],
  })),
  {
    rule: '8.1: a close reason that is not UTF-8',
    stream: [closeOf(1000, raw(0xce, 0xba, 0xe1))],
    told: ['violation 1007 close reason is not UTF-8'],
  },
  {
    rule: '8.1: text that is not UTF-8',
    stream: [clientFrame(TEXT_FRAME, raw(0xff))],
    told: ['violation 1007 text is not UTF-8'],
  },
  {
    rule: '8.1: text that ends inside a character',
    stream: [clientFrame(TEXT_FRAME, raw(0xc3))],
    told: ['violation 1007 text is not UTF-8'],
  },
  {
    rule: '8.1: fragments that end inside a character',
    stream: [clientFrame(TEXT_BEGINS, 'a'), clientFrame(CONTINUATION_ENDS, raw(0xe2, 0x82))],
    told: ['violation 1007 text is not UTF-8'],
  },
  {
    rule: '10.4: a frame larger than the limit',
    stream: [raw(0x82, 0xfe, 4, 1), Buffer.alloc(4)],
    told: ['violation 1009 message too large'],
    options: { messageBytesMax: 1024 },
  },
  {
    rule: '10.4: a frame of petabytes',
    stream: [raw(0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), Buffer.alloc(4)],
    told: ['violation 1009 message too large'],
  },
  {
    rule: '10.4: fragments that together are larger than the limit',
    stream: [clientFrame(BINARY_BEGINS, Buffer.alloc(1000)), clientFrame(CONTINUES, Buffer.alloc(25))],
    told: ['violation 1009 message too large'],
    options: { messageBytesMax: 1024 },
  },
  {
    rule: '10.4: more fragments than the limit',
    stream: [
      clientFrame(BINARY_BEGINS),
      clientFrame(CONTINUES),
      clientFrame(CONTINUES),
      clientFrame(CONTINUES),
    ],
    told: ['violation 1008 too many fragments'],
    options: { framesMax: 3 },
  },
];

describe('The WebSocket receiver accepts (RFC 6455)', () => {
  for (const { rule, stream, told, options } of accepted) {
    it(rule, () => {
      assert.deepEqual(receive(Buffer.concat(stream), options).told, told);
      assert.deepEqual(receiveBytewise(Buffer.concat(stream), options).told, told);
    });
  }

  it('7.4: every close code that may be on the wire', () => {
    const codes = [
      1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999,
    ];
    for (const code of codes) assert.deepEqual(receive(closeOf(code)).told, [`close ${code} `]);
    assert.equal(Array.from({ length: 0x1_0000 }, (_, code) => code).filter(isCloseCode).length, 12 + 2000);
  });
});

describe('The WebSocket receiver refuses (RFC 6455)', () => {
  for (const { rule, stream, told, options } of refused) {
    it(rule, () => {
      const bytes = Buffer.concat([...stream, RFC_HELLO]);
      assert.deepEqual(receive(bytes, options).told, told);
      assert.deepEqual(receiveBytewise(bytes, options).told, told);
    });
  }

  it('invalid UTF-8 at its first byte, long before the frame is complete', () => {
    const frame = clientFrame(
      TEXT_FRAME,
      Buffer.concat([Buffer.from('κόσμε'), raw(0xf4, 0x90), Buffer.alloc(500)]),
    );
    const recorder = new Recorder();
    const receiver = new WebSocketReceiver(SERVER);
    const head = 8 + Buffer.byteLength('κόσμε');
    receiver.receive(Buffer.from(frame.subarray(0, head + 1)), recorder);
    assert.deepEqual(recorder.told, [], 'F4 may begin a character');
    receiver.receive(Buffer.from(frame.subarray(head + 1, head + 2)), recorder);
    assert.deepEqual(recorder.told, ['violation 1007 text is not UTF-8'], '90 may not follow it');
  });

  it('a message that is too large at the head of its last frame', () => {
    const recorder = receive(clientFrame(BINARY_FRAME, Buffer.alloc(2000)).subarray(0, 8), {
      messageBytesMax: 1024,
    });
    assert.deepEqual(recorder.told, ['violation 1009 message too large']);
  });
});

describe('The WebSocket receiver', () => {
  it('hands on a message where it lies if it came whole, and copies it only if it came in pieces', () => {
    assert.deepEqual(receive(RFC_HELLO).storages, ['borrowed']);
    assert.deepEqual(receive(RFC_HELLO, {}, [8]).storages, ['owned']);
    assert.deepEqual(receive(RFC_HELLO, {}, [3]).storages, ['borrowed']);
  });

  it('is idle between messages, and only there, so that another connection can use it', () => {
    const receiver = new WebSocketReceiver(SERVER);
    const recorder = new Recorder();
    const idleAfter = (bytes: Buffer): boolean => {
      receiver.receive(bytes, recorder);
      return receiver.idle;
    };
    assert.equal(receiver.idle, true);
    assert.equal(idleAfter(clientFrame(TEXT_BEGINS, 'a')), false);
    assert.equal(idleAfter(clientFrame(PING_FRAME)), false);
    assert.equal(idleAfter(clientFrame(CONTINUATION_ENDS, 'b')), true);
    assert.equal(idleAfter(clientFrame(PONG_FRAME).subarray(0, 1)), false);
    assert.equal(idleAfter(clientFrame(PONG_FRAME).subarray(1)), true);
    assert.equal(idleAfter(EMPTY), true);
    assert.equal(idleAfter(clientFrame(CLOSE_FRAME)), false);
    assert.deepEqual(recorder.told, ['ping ', 'text ab', 'pong ', 'close 1005 ']);
  });

  it('takes no more memory for a message than about what has arrived of it', () => {
    const receiver = new WebSocketReceiver({ ...SERVER, messageBytesMax: 256 * 1024 * 1024 });
    const announced = Buffer.of(0x82, 0xff, 0, 0, 0, 0, 0x0f, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3);
    const before = process.memoryUsage().arrayBuffers;
    receiver.receive(announced, new Recorder());
    assert.ok(process.memoryUsage().arrayBuffers - before < 1024 * 1024);
    assert.equal(receiver.idle, false);
  });
});
