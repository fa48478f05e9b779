import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Message } from '../../../src/channels/index.ts';
import type { Codec } from '../../../src/edges/centrifuge/codec.ts';
import { jsonCodec } from '../../../src/edges/centrifuge/codec-json.ts';
import { protobufCodec } from '../../../src/edges/centrifuge/codec-protobuf.ts';
import { readEmulationRequest } from '../../../src/edges/centrifuge/emulation.ts';
import { createPageEncoder, forEachEntry } from '../../../src/edges/centrifuge/page-encoder.ts';
import { ProtobufReader } from '../../../src/edges/centrifuge/protobuf-reader.ts';
import {
  closeLength,
  openField,
  openLength,
  writeBytesField,
  writeNumberField,
  writeTextField,
} from '../../../src/edges/centrifuge/protobuf-writer.ts';
import { MalformedCommand } from '../../../src/edges/centrifuge/protocol.ts';
import { ByteWriter } from '../../../src/kernel/index.ts';

interface MessageParts {
  readonly data?: string | Uint8Array | null;
  readonly kind?: Message['dataKind'];
  readonly attributes?: Readonly<Record<string, string>>;
}

/** A message whose data lies between other bytes, as in a stored batch. */
function message({ data = '', kind = 'json', attributes = {} }: MessageParts): Message {
  const payload = Buffer.from(data ?? '');
  return {
    channel: 'news',
    cursor: 'default~e~0~18',
    offset: 17,
    id: 'e-0-17',
    timestampMs: 0,
    dataKind: kind,
    hasData: data !== null,
    bytes: Buffer.concat([Buffer.from('<'), payload, Buffer.from('>')]),
    dataStart: 1,
    dataEnd: 1 + payload.length,
    attribute: (name) => attributes[name],
    renderings: undefined,
    attributes: () => Object.entries(attributes),
  };
}

function written(write: (out: ByteWriter) => void): Buffer {
  const out = new ByteWriter(16);
  write(out);
  return out.take();
}

const decode = (codec: Codec, bytes: Buffer | string) => codec.decode(Buffer.from(bytes));

const publicationText = (parts: MessageParts, channel = 'news'): unknown =>
  JSON.parse(
    written((out) =>
      jsonCodec.publication(message(parts), { channel, offsets: 'told', data: 'plain' }, out),
    ).toString(),
  );

describe('The JSON codec', () => {
  it('reads the commands of a frame, line by line', () => {
    const commands = decode(jsonCodec, '{"id":1,"ping":{}}\n\n{"id":2,"unsubscribe":{"channel":"a"}}\n{}\n');
    assert.deepEqual(commands, [
      { id: 1, method: 'ping' },
      { id: 2, method: 'unsubscribe', channel: 'a' },
      { id: 0, method: 'pong' },
    ]);
  });

  it('takes null for absent, as protobuf does in JSON, and passes over what it does not know', () => {
    const [command] = decode(jsonCodec, '{"id":1,"publish":null,"ping":{"x":1},"extra":[]}');
    assert.deepEqual(command, { id: 1, method: 'ping' });
  });

  it('keeps numbers that a double cannot hold', () => {
    const data =
      '{"id":12345678901234567890,"list":[0.12345678901234567890,1e400,-0.5],"text":"9999999999999999999"}';
    const [command] = decode(jsonCodec, `{"id":1,"publish":{"channel":"a","data":${data}}}`);
    assert.equal(command.method, 'publish');
    assert.equal(
      Buffer.from(command.method === 'publish' ? (command.data?.bytes ?? '') : '').toString(),
      data,
    );
  });

  it('embeds JSON, makes text a string, and marks binary', () => {
    assert.deepEqual(publicationText({ data: '{"a":\n1}' }), { data: { a: 1 }, offset: 18 });
    assert.deepEqual(publicationText({ data: 'a "b"\n', kind: 'text' }), { data: 'a "b"\n', offset: 18 });
    assert.deepEqual(publicationText({ data: Uint8Array.of(0, 255), kind: 'binary' }), {
      data: 'AP8=',
      offset: 18,
      tags: { 'tidegate-encoding': 'base64' },
    });
    assert.deepEqual(publicationText({ data: null }), { data: null, offset: 18 });
  });

  it('tells who published, tags, and the channel where a pattern was subscribed to', () => {
    const attributes = { cfclient: 'c', cfuser: 'u', cftags: '{"a":"1","b":2}' };
    assert.deepEqual(publicationText({ data: '1', attributes }, 'news/#'), {
      data: 1,
      offset: 18,
      info: { user: 'u', client: 'c' },
      tags: { a: '1' },
      channel: 'news',
    });
  });

  it('does not let what a publisher calls tags into the frame', () => {
    for (const cftags of ['{"a":"1"},"evil":{"b":"2"}', '[]', 'null', '"x"', '{"a":1}']) {
      assert.deepEqual(publicationText({ data: '1', attributes: { cftags } }), { data: 1, offset: 18 });
    }
  });

  it('does not let what a publisher calls information into the frame, and keeps it on one line', () => {
    const infoOf = (cfconninfo: string): unknown => {
      const attributes = { cfclient: 'c', cfconninfo, cfchaninfo: '[1,\n"\\n"]' };
      return (publicationText({ data: '1', attributes }) as { info: unknown }).info;
    };
    const others = { user: '', client: 'c', chan_info: [1, '\n'] };
    assert.deepEqual(infoOf('1},"evil":{"b":2'), others);
    assert.deepEqual(infoOf('{"a":\n1}'), { ...others, conn_info: { a: 1 } });
    const bytes = written((out) =>
      jsonCodec.publication(
        message({ attributes: { cfclient: 'c', cfconninfo: '[\r\n]' } }),
        { channel: 'news', offsets: 'told', data: 'plain' },
        out,
      ),
    );
    assert.doesNotMatch(bytes.toString(), /[\r\n]/);
  });

  it('refuses with MalformedCommand whatever is no command', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string(), fc.uint8Array()), (input) => {
        try {
          decode(jsonCodec, Buffer.from(input as string));
        } catch (error) {
          assert.ok(error instanceof MalformedCommand, String(error));
        }
      }),
    );
  });
});

/** A command in both encodings. */
const PAIRS: readonly { readonly json: object; readonly protobuf: (out: ByteWriter) => void }[] = [
  {
    json: { id: 1, connect: { token: 't', subs: { a: { recover: true, epoch: 'e', offset: 5 } } } },
    protobuf(out) {
      writeNumberField(1, 1, out);
      within(4, out, () => {
        writeTextField(1, 't', out);
        within(3, out, () => {
          writeTextField(1, 'a', out);
          within(2, out, () => {
            writeNumberField(3, 1, out);
            writeTextField(6, 'e', out);
            writeNumberField(7, 5, out);
          });
        });
      });
    },
  },
  {
    json: { id: 300, subscribe: { channel: 'ü', token: 't', join_leave: true, delta: 'fossil' } },
    protobuf(out) {
      writeNumberField(1, 300, out);
      within(5, out, () => {
        writeTextField(1, 'ü', out);
        writeTextField(2, 't', out);
        writeNumberField(11, 1, out);
        writeTextField(12, 'fossil', out);
      });
    },
  },
  {
    json: {
      id: 7,
      history: { channel: 'a', limit: 3, since: { offset: 2 ** 40, epoch: 'e' }, reverse: true },
    },
    protobuf(out) {
      writeNumberField(1, 7, out);
      within(10, out, () => {
        writeTextField(1, 'a', out);
        writeNumberField(7, 3, out);
        within(8, out, () => {
          writeNumberField(1, 2 ** 40, out);
          writeTextField(2, 'e', out);
        });
        writeNumberField(9, 1, out);
      });
    },
  },
  {
    json: { id: 8, sub_refresh: { channel: 'a', token: 't' } },
    protobuf(out) {
      writeNumberField(1, 8, out);
      within(15, out, () => {
        writeTextField(1, 'a', out);
        writeTextField(2, 't', out);
      });
    },
  },
  {
    json: { id: 9, subscribe: { channel: 'a', tf: { key: 'k' }, join_leave: false } },
    protobuf(out) {
      writeNumberField(1, 9, out);
      within(5, out, () => {
        writeTextField(1, 'a', out);
        within(13, out, () => writeTextField(2, 'k', out));
      });
    },
  },
  { json: {}, protobuf() {} },
];

function within(field: number, out: ByteWriter, write: () => void): void {
  const mark = openField(field, out);
  write();
  closeLength(out, mark);
}

function delimited(write: (out: ByteWriter) => void): Buffer {
  return written((out) => {
    const mark = openLength(out);
    write(out);
    closeLength(out, mark);
  });
}

describe('The protobuf codec', () => {
  it('reads the same commands as the JSON codec', () => {
    const json = PAIRS.map((pair) => JSON.stringify(pair.json)).join('\n');
    const protobuf = Buffer.concat(PAIRS.map((pair) => delimited(pair.protobuf)));
    assert.deepEqual(decode(protobufCodec, protobuf), decode(jsonCodec, json));
  });

  it('reads a negative limit, which is sent as 64 bits', () => {
    const frame = delimited((out) => {
      writeNumberField(1, 1, out);
      within(10, out, () => {
        writeTextField(1, 'a', out);
        out.byte((7 << 3) | 0);
        out.bytes(Buffer.from('ffffffffffffffffff01', 'hex'));
      });
    });
    const [command] = decode(protobufCodec, frame);
    assert.equal(command.method === 'history' && command.limit, -1);
  });

  it('takes published bytes for JSON, text or neither, as they are', () => {
    const kinds = ['{"a":1}', 'hello', Uint8Array.of(0xff)].map((data) => {
      const frame = delimited((out) => {
        writeNumberField(1, 1, out);
        within(7, out, () => {
          writeTextField(1, 'a', out);
          writeBytesField(2, Buffer.from(data), out);
        });
      });
      const [command] = decode(protobufCodec, frame);
      return command.method === 'publish' ? command.data?.kind : '';
    });
    assert.deepEqual(kinds, ['json', 'text', 'binary']);
  });

  it('writes lengths of every size', () => {
    for (const length of [0, 1, 127, 128, 16_383, 16_384, 70_000]) {
      const bytes = delimited((out) => writeBytesField(1, Buffer.alloc(length, 7), out));
      const inner = new ProtobufReader(bytes).delimited();
      // An empty field is left out.
      assert.equal(inner.isAtEnd, length === 0);
      if (!inner.isAtEnd) assert.equal(inner.field(), 1);
      const read = inner.isAtEnd ? new Uint8Array(0) : inner.bytes();
      assert.equal(read.length, length);
      assert.ok(read.every((byte) => byte === 7) && inner.isAtEnd);
    }
  });

  it('refuses with MalformedCommand whatever is cut short or is no command', () => {
    const whole = Buffer.concat(PAIRS.slice(0, 4).map((pair) => delimited(pair.protobuf)));
    const refuses = (bytes: Uint8Array): void => {
      try {
        decode(protobufCodec, Buffer.from(bytes));
      } catch (error) {
        assert.ok(error instanceof MalformedCommand, String(error));
      }
    };
    for (let end = 0; end < whole.length; end++) refuses(whole.subarray(0, end));
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), refuses));
  });
});

describe('A request to /emulation', () => {
  it('names its session and carries commands, in either encoding', () => {
    const json = readEmulationRequest(Buffer.from('{"session":"s","node":"n","data":"{}"}'), 'json');
    assert.deepEqual([json.session, json.data.toString()], ['s', '{}']);
    const body = written((out) => {
      writeTextField(1, 'n', out);
      writeTextField(2, 's', out);
      writeBytesField(3, Buffer.of(0), out);
    });
    const protobuf = readEmulationRequest(body, 'protobuf');
    assert.deepEqual([protobuf.session, protobuf.data.toString('hex')], ['s', '00']);
  });

  it('is malformed without a session or data', () => {
    for (const body of ['', 'null', '{}', '{"session":"s"}', '{"session":1,"data":"{}"}']) {
      assert.throws(() => readEmulationRequest(Buffer.from(body), 'json'), MalformedCommand, body);
    }
  });
});

describe('A page', () => {
  it('gives its entries back, and stops where it is told', () => {
    const encoder = createPageEncoder(jsonCodec);
    const bytes = written((out) => {
      for (const data of ['1', '[2]', '3']) encoder.message(message({ data }), out);
    });
    const taken: unknown[] = [];
    const all = forEachEntry(bytes, (publication, offset) => {
      taken.push([JSON.parse(publication.toString()).data, offset]);
      return taken.length < 2;
    });
    assert.equal(all, false);
    assert.deepEqual(taken, [
      [1, 18],
      [[2], 18],
    ]);
  });
});
