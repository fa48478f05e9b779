import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { resolveLimits } from '../../../src/kernel/index.ts';
import {
  decodeFormats,
  encodeFormats,
  type PublishFormats,
  parsePublishItem,
} from '../../../src/wire/grip/index.ts';
import { faultOf, resultOf } from './faults.ts';

const LIMITS = resolveLimits();

const formats = (given: unknown): PublishFormats =>
  parsePublishItem({ channel: 'c', formats: given }, LIMITS).formats;

/** The stored text, once it is certain that it leads back to the formats. */
function stored(given: unknown, data: string | Uint8Array): string {
  const before = formats(given);
  const bytes = Buffer.from(data as string);
  const text = encodeFormats(before, bytes);
  assert.deepEqual(plain(decodeFormats(text, bytes, LIMITS)), plain(before));
  return text;
}

/** With all bytes in the same kind of array. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return [...value];
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]));
}

const DATA = '{"a":"some data"}';

describe('Stored formats', () => {
  test('refer to the data of the record where the content is around them', () => {
    const text = stored(
      {
        'http-stream': { content: `event: x\ndata: ${DATA}\n\n` },
        'http-response': { body: DATA },
        'ws-message': { content: DATA },
      },
      DATA,
    );
    assert.deepEqual(JSON.parse(text), {
      'http-response': { 'body-data': ['', ''] },
      'http-stream': { 'content-data': ['event: x\ndata: ', '\n\n'] },
      'ws-message': { type: 'text', 'content-data': ['', ''] },
    });
  });

  test('have their own content where it is another, or where the data are only a few bytes', () => {
    assert.deepEqual(JSON.parse(stored({ 'ws-message': { content: 'other' } }, DATA)), {
      'ws-message': { type: 'text', content: 'other' },
    });
    for (const data of ['', 'x']) {
      assert.deepEqual(JSON.parse(stored({ 'http-stream': { content: 'x\n' } }, data)), {
        'http-stream': { content: 'x\n' },
      });
    }
    assert.deepEqual(JSON.parse(stored({ 'ws-message': { 'content-bin': '/w==' } }, DATA)), {
      'ws-message': { type: 'binary', 'content-bin': '/w==' },
    });
    const around = Buffer.concat([Buffer.from([0xff]), Buffer.from(DATA)]).toString('base64');
    assert.match(stored({ 'http-stream': { 'content-bin': around } }, DATA), /content-bin/);
  });

  test('have everything else that formats have', () => {
    stored(
      {
        'http-response': {
          code: 404,
          reason: 'Nö',
          headers: [
            ['A', 'ü'],
            ['A', '2'],
            ['Grip-Expose-Headers', 'a, "b;c"'],
          ],
          body: 'x',
          'content-filters': ['build-id'],
        },
        'http-stream': { content: '', 'content-filters': [] },
        'ws-message': { type: 'ping', 'content-filters': ['a', 'b'] },
      },
      DATA,
    );
    stored({ 'http-response': { 'body-patch': [{ op: 'remove', path: '/a' }] } }, DATA);
    stored({ 'ws-message': { action: 'close', code: 4000, reason: 'ü' } }, DATA);
    stored({ 'ws-message': { action: 'close' } }, DATA);
    for (const action of ['hint', 'close', 'refresh']) {
      stored({ 'http-response': { action }, 'http-stream': { action }, 'ws-message': { action } }, DATA);
    }
  });

  test('lead back to the formats, whatever content and data are', () => {
    const bytes = fc.oneof(
      fc.uint8Array(),
      fc.string({ minLength: 8 }).map((text) => Buffer.from(text)),
    );
    fc.assert(
      fc.property(bytes, bytes, bytes, fc.boolean(), (data, before, after, around) => {
        const content = around ? Buffer.concat([before, data, after]) : Buffer.from(before);
        const base64 = content.toString('base64');
        const given = { 'http-stream': { 'content-bin': base64 }, 'http-response': { 'body-bin': base64 } };
        stored({ ...given, 'ws-message': { 'content-bin': base64 } }, data);
      }),
    );
  });

  test('are refused if somebody else has written them', () => {
    const refuse = (text: string): string =>
      faultOf('grip_item_invalid', () => decodeFormats(text, Buffer.from(DATA), LIMITS));
    assert.match(refuse('{'), /not JSON/);
    assert.match(refuse('[]'), /not an object/);
    assert.match(
      refuse('{"ws-message":{"content-data":["a"]}}'),
      /ws-message\.content-data is not an array of two/,
    );
    assert.match(refuse('{"ws-message":{"content-data":[1,2]}}'), /content-data\[0\] is not text/);
    assert.match(refuse('{"http-response":{"headers":{"a":"\\r\\nb: c"},"body":""}}'), /control character/);
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        resultOf('grip_item_invalid', () => decodeFormats(text, Buffer.from(DATA), LIMITS));
      }),
    );
  });

  test('of a text are no text if the data of the record are none', () => {
    const text = '{"ws-message":{"type":"text","content-data":["",""]}}';
    assert.match(
      faultOf('grip_item_invalid', () => decodeFormats(text, Buffer.from([0xff]), LIMITS)),
      /not UTF-8/,
    );
  });
});
