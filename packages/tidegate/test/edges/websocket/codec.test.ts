import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, it } from 'node:test';
import type { FrameEncoder, Message } from '../../../src/channels/index.ts';
import { createWebSocketEncoder, type WebSocketForm } from '../../../src/edges/websocket/codec.ts';
import { ByteWriter, seededRandom } from '../../../src/kernel/index.ts';
import { receive } from '../../wire/websocket/recorder.ts';

/** A message whose data lies between other bytes, as in a stored batch. */
function message(data: string | Buffer | null, dataKind: Message['dataKind'] = 'text'): Message {
  const payload = Buffer.from(data ?? '');
  return {
    channel: 'orders/42',
    cursor: 'orders~e~0~18',
    offset: 17,
    id: 'e-0-17',
    timestampMs: Date.UTC(2026, 10, 20),
    dataKind,
    hasData: data !== null,
    bytes: Buffer.concat([Buffer.from('<'), payload, Buffer.from('>')]),
    dataStart: 1,
    dataEnd: 1 + payload.length,
    attribute: () => undefined,
    renderings: undefined,
    attributes: () => [],
  };
}

function encode(form: WebSocketForm, write: (encoder: FrameEncoder, out: ByteWriter) => void): Buffer {
  const encoder = createWebSocketEncoder(form);
  const out = new ByteWriter(16);
  encoder.begin(out);
  write(encoder, out);
  encoder.end(out);
  return out.take();
}

const read = (bytes: Buffer): readonly string[] =>
  receive(bytes, { role: 'client', compression: 'deflate' }).told;

describe('Bare WebSocket messages', () => {
  const bare = { envelope: 'none', windowBits: 0 } as const;

  it('are the data: text as text, anything else as binary, nothing as an empty binary frame', () => {
    const bytes = encode(bare, (encoder, out) => {
      encoder.message(message('größe'), out);
      encoder.message(message('{"a":1}', 'json'), out);
      encoder.message(message(Buffer.of(0xff, 0), 'binary'), out);
      encoder.message(message(''), out);
      encoder.message(message(null, 'binary'), out);
    });
    assert.deepEqual(read(bytes), ['text größe', 'text {"a":1}', 'binary ff00', 'text ', 'binary ']);
  });

  it('say nothing of cursors', () => {
    assert.equal(encode(bare, (encoder, out) => encoder.keepAlive('c', out)).length, 0);
  });
});

describe('WebSocket messages with an envelope', () => {
  for (const windowBits of [0, 9, 15]) {
    it(`are one JSON text each, whatever their length (window ${windowBits})`, () => {
      for (const length of [0, 20, 50, 300, 70_000]) {
        const data = 'ä'.repeat(length);
        const told = receive(
          encode({ envelope: 'json', windowBits }, (encoder, out) => encoder.message(message(data), out)),
          { role: 'client', compression: 'deflate', messageBytesMax: 1 << 20 },
        ).told;
        assert.equal(told.length, 1);
        assert.equal(JSON.parse(told[0].slice('text '.length)).data, data);
      }
    });
  }

  it('tell of gaps and of where the client is', () => {
    const bytes = encode({ envelope: 'json', windowBits: 0 }, (encoder, out) => {
      encoder.gap({ reason: 'other_epoch', cursor: 'c~1' }, out);
      encoder.keepAlive('c~2', out);
      encoder.keepAlive('', out);
    });
    assert.deepEqual(read(bytes), [
      'text {"gap":{"reason":"other_epoch","cursor":"c~1"}}',
      'text {"cursor":"c~2"}',
    ]);
  });

  it('are CloudEvents if asked', () => {
    const bytes = encode({ envelope: 'cloudevents', windowBits: 0 }, (encoder, out) =>
      encoder.message(message('x'), out),
    );
    assert.equal(JSON.parse(read(bytes)[0].slice('text '.length)).specversion, '1.0');
  });
});

describe('Compressed WebSocket messages', () => {
  const compressed = { envelope: 'none', windowBits: 15 } as const;

  it('are smaller, marked, and the same when read', () => {
    const data = 'tide '.repeat(100);
    const bytes = encode(compressed, (encoder, out) => {
      encoder.message(message(data), out);
      encoder.message(message(Buffer.from(data), 'binary'), out);
    });
    assert.ok(bytes.length < data.length / 5);
    assert.deepEqual(read(bytes), [`text ${data}`, `binary ${Buffer.from(data).toString('hex')}`]);
    assert.equal(bytes[0], 0xc1);
  });

  it('are left as they are if compression gains nothing', () => {
    const random = seededRandom(7);
    const noise = Buffer.from(Array.from({ length: 400 }, () => random.uint32() & 0xff));
    const bytes = encode(compressed, (encoder, out) => {
      encoder.message(message(noise, 'binary'), out);
      encoder.message(message('short'), out);
    });
    assert.equal(bytes[0], 0x82);
    assert.deepEqual(read(bytes), [`binary ${noise.toString('hex')}`, 'text short']);
  });

  it('share an encoder key exactly if they share the bytes', () => {
    const keys = (['none', 'json', 'cloudevents'] as const).flatMap((envelope) =>
      [0, 9, 15].map((windowBits) => createWebSocketEncoder({ envelope, windowBits }).key),
    );
    assert.equal(new Set(keys).size, 9);
    assert.equal(createWebSocketEncoder(compressed).key, createWebSocketEncoder({ ...compressed }).key);
  });
});
