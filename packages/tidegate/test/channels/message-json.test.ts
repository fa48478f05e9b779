import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type JsonEnvelope, type Message, writeGapJson, writeMessageJson } from '../../src/channels/index.ts';
import { ByteWriter } from '../../src/kernel/index.ts';

interface MessageParts {
  readonly channel?: string;
  readonly id?: string;
  readonly kind?: Message['dataKind'];
  readonly data?: Uint8Array | string | null;
  readonly attributes?: readonly (readonly [string, string])[];
}

function message(parts: MessageParts): Message {
  const { channel = 'orders/42', id = 'e-1', kind = 'text', data = '', attributes = [] } = parts;
  // The data lie in the middle of other bytes, as they do in the log.
  const content = Buffer.from(data ?? '');
  const bytes = Buffer.concat([Buffer.from('"\\\n<'), content, Buffer.from('>"\n')]);
  return {
    channel,
    cursor: 'orders~Q3kZ8fTn1xYb~0~18',
    offset: 17,
    id,
    timestampMs: Date.UTC(2026, 10, 20, 19),
    dataKind: kind,
    hasData: data !== null,
    bytes,
    dataStart: 4,
    dataEnd: 4 + content.length,
    attribute: (name) => attributes.find(([other]) => other === name)?.[1],
    renderings: undefined,
    attributes: () => attributes,
  };
}

function write(parts: MessageParts, envelope: JsonEnvelope = 'json'): string {
  const out = new ByteWriter(16);
  writeMessageJson(message(parts), out, envelope);
  return out.take().toString('utf8');
}

describe('A message as JSON', () => {
  test('is the object of docs/http.md, byte for byte', () => {
    assert.equal(
      write({
        id: 'Q3kZ8fTn1xYb-0-17',
        kind: 'json',
        data: '{"state":"paid"}',
        attributes: [['datacontenttype', 'application/json']],
      }),
      '{"channel":"orders/42","cursor":"orders~Q3kZ8fTn1xYb~0~18","id":"Q3kZ8fTn1xYb-0-17","time":"2026-11-20T19:00:00.000Z","datacontenttype":"application/json","data":{"state":"paid"}}',
    );
  });

  test('embeds JSON as it was published, with spaces for line breaks between tokens', () => {
    const json = write({ kind: 'json', data: '{\r\n"b" : 12345678901234567890,\n"a":1e400,"a":"x\\ny"}' });
    assert.ok(json.endsWith(',"data":{  "b" : 12345678901234567890, "a":1e400,"a":"x\\ny"}}'), json);
  });

  test('has neither data nor data_base64 for an event without data, and empty ones for empty data', () => {
    assert.deepEqual(Object.keys(JSON.parse(write({ data: null }))), ['channel', 'cursor', 'id', 'time']);
    assert.equal(JSON.parse(write({ data: '' })).data, '');
    assert.equal(JSON.parse(write({ data: '', kind: 'binary' })).data_base64, '');
  });

  test("takes the publisher's time instead of the log's, once", () => {
    const json = write({ attributes: [['time', '2020-01-01T00:00:00Z']] });
    assert.equal(json.split('"time"').length, 2);
    assert.equal(JSON.parse(json).time, '2020-01-01T00:00:00Z');
  });

  test('has the right channel whichever channel the message before had', () => {
    const channels = ['a', 'b', 'b', 'a"\\\u0001é', 'a'].map(
      (channel) => JSON.parse(write({ channel })).channel,
    );
    assert.deepEqual(channels, ['a', 'b', 'b', 'a"\\\u0001é', 'a']);
  });

  test('carries any text, any bytes and any attributes intact, on one line', () => {
    const words = fc.string({ unit: 'binary' });
    const attributes = fc.dictionary(fc.constantFrom('type', 'subject', 'tracestate', 'ext1'), words);
    fc.assert(
      fc.property(
        words,
        fc.uint8Array({ maxLength: 300 }),
        attributes,
        words,
        (text, bytes, extra, channel) => {
          const entries = Object.entries(extra);
          const asText = write({ channel, id: text, data: text, attributes: entries });
          const asBytes = write({ kind: 'binary', data: bytes });
          const parsed = JSON.parse(asText);
          assert.equal(parsed.data, text);
          assert.equal(parsed.id, text);
          assert.equal(parsed.channel, channel);
          for (const [name, value] of entries) assert.equal(parsed[name], value);
          assert.deepEqual(Buffer.from(JSON.parse(asBytes).data_base64, 'base64'), Buffer.from(bytes));
          assert.doesNotMatch(asText + asBytes, /[\r\n]/);
        },
      ),
    );
  });

  test('embeds any JSON value so that it parses to the same value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.nat(4), (value, indent) => {
        const data = JSON.stringify(value, null, indent);
        const json = write({ kind: 'json', data });
        assert.deepEqual(JSON.parse(json).data, JSON.parse(data));
        assert.doesNotMatch(json, /[\r\n]/);
      }),
    );
  });

  test('grows with a large text that needs an escape at every byte', () => {
    const data = '\u0001"'.repeat(100_000);
    assert.equal(JSON.parse(write({ data })).data, data);
  });
});

describe('A message as a CloudEvent', () => {
  test('has specversion, and a source and a type where the publisher gave none', () => {
    const event = JSON.parse(write({ channel: 'a b/ü', data: 'x' }, 'cloudevents'));
    assert.equal(event.specversion, '1.0');
    assert.equal(event.source, '/v1/channels/a%20b/%C3%BC');
    assert.equal(event.type, 'tidegate.message');
    assert.equal(event.channel, 'a b/ü');
    assert.equal(event.cursor, 'orders~Q3kZ8fTn1xYb~0~18');
  });

  test("keeps the publisher's attributes, each once", () => {
    const attributes = [
      ['id', 'e-1'],
      ['source', '/s'],
      ['type', 't'],
      ['datacontenttype', 'text/x'],
    ] as const;
    const json = write({ attributes, data: 'x' }, 'cloudevents');
    for (const [name, value] of attributes) {
      assert.equal(JSON.parse(json)[name], value);
      assert.equal(json.split(`"${name}":`).length, 2, `${name} is there once`);
    }
  });

  test('names text/plain where text would otherwise be read as JSON (JSON format, section 3.1)', () => {
    assert.equal(JSON.parse(write({ data: 'x' }, 'cloudevents')).datacontenttype, 'text/plain');
    for (const parts of [
      { kind: 'json', data: '1' },
      { kind: 'binary', data: '1' },
      { data: null },
    ] as const) {
      assert.ok(!('datacontenttype' in JSON.parse(write(parts, 'cloudevents'))));
    }
  });
});

test('A gap as JSON is an object with the single member gap', () => {
  const out = new ByteWriter(4);
  writeGapJson({ reason: 'below_retention', cursor: 'a~b~0~1' }, out);
  assert.equal(out.take().toString(), '{"gap":{"reason":"below_retention","cursor":"a~b~0~1"}}');
});
