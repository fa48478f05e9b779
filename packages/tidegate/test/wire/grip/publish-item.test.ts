import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type Limits, resolveLimits } from '../../../src/kernel/index.ts';
import {
  decodeTnetstring,
  encodeTnetstring,
  type PublishItem,
  parsePublishItem,
  type TnetInput,
} from '../../../src/wire/grip/index.ts';
import { faultOf, resultOf } from './faults.ts';

const LIMITS = resolveLimits();

const parse = (value: unknown, limits: Limits = LIMITS): PublishItem => parsePublishItem(value, limits);
const fault = (value: unknown, limits: Limits = LIMITS): string =>
  faultOf('grip_item_invalid', () => parse(value, limits));
/** The only format of an item, with its content as text. */
function format(
  name: 'http-response' | 'http-stream' | 'ws-message',
  value: unknown,
): Record<string, unknown> {
  const { formats } = parse({ channel: 'c', formats: { [name]: value } });
  const found = [formats.httpResponse, formats.httpStream, formats.webSocketMessage].filter(
    (f) => f !== null,
  );
  assert.equal(found.length, 1);
  return Object.fromEntries(
    Object.entries(found[0]).map(([key, member]) => [
      key,
      member instanceof Uint8Array ? Buffer.from(member).toString('latin1') : member,
    ]),
  );
}
const formatFault = (name: string, value: unknown): string =>
  fault({ channel: 'c', formats: { [name]: value } });

const STREAM = { 'http-stream': { content: 'x' } };

describe('A publish item', () => {
  test('has a channel and a format, and otherwise nothing by default', () => {
    const item = parse({ channel: 'c', formats: STREAM });
    assert.deepEqual(
      { ...item, meta: [...item.meta], formats: null },
      { channel: 'c', id: null, prevId: null, formats: null, meta: [], size: null, sequencing: 'ordered' },
    );
    assert.equal(item.formats.httpResponse, null);
    assert.equal(item.formats.webSocketMessage, null);
  });

  test('has ids, meta, a size, and may be out of sequence', () => {
    const item = parse({
      channel: 'c',
      id: '2',
      'prev-id': '1',
      formats: STREAM,
      meta: { sender: 'alice', skip_users: 'a,b' },
      size: '12',
      'no-seq': true,
    });
    assert.equal(item.id, '2');
    assert.equal(item.prevId, '1');
    assert.deepEqual(
      [...item.meta],
      [
        ['sender', 'alice'],
        ['skip_users', 'a,b'],
      ],
    );
    assert.equal(item.size, 12);
    assert.equal(item.sequencing, 'none');
  });

  test('may have its formats without "formats" around them', () => {
    const item = parse({ channel: 'c', ...STREAM, 'ws-message': { content: 'x' } });
    assert.deepEqual(
      [item.formats.httpResponse, item.formats.httpStream?.action, item.formats.webSocketMessage?.action],
      [null, 'send', 'send'],
    );
  });

  test('takes null for what is not there, and passes over what nobody knows', () => {
    const item = parse({
      channel: 'c',
      id: null,
      'prev-id': null,
      meta: null,
      size: null,
      'no-seq': null,
      formats: { ...STREAM, 'http-response': null, other: 1 },
      other: 1,
    });
    assert.equal(item.id, null);
    assert.equal(item.formats.httpResponse, null);
  });

  test('may get its channel another way', () => {
    assert.equal(parsePublishItem({ formats: STREAM }, LIMITS, 'd').channel, 'd');
  });

  const faults: [value: unknown, detail: RegExp][] = [
    ['x', /^It is not an object/],
    [[], /^It is not an object/],
    [{ formats: STREAM }, /^channel is missing/],
    [{ channel: '', formats: STREAM }, /^channel is empty/],
    [{ channel: 1, formats: STREAM }, /^channel is not text/],
    [{ channel: 'c' }, /^formats has none of/],
    [{ channel: 'c', formats: {} }, /^formats has none of/],
    [{ channel: 'c', formats: { other: {} } }, /^formats has none of/],
    [{ channel: 'c', formats: [] }, /^formats is not an object/],
    [{ channel: 'c', formats: { 'http-stream': 'x' } }, /^formats\.http-stream is not an object/],
    [{ channel: 'c', 'http-stream': 'x' }, /^http-stream is not an object/],
    [{ channel: 'c', formats: STREAM, id: 1 }, /^id is not text/],
    [{ channel: 'c', formats: STREAM, 'prev-id': {} }, /^prev-id is not text/],
    [{ channel: 'c', formats: STREAM, id: 'a\r\nb: c' }, /^id has a control character/],
    [{ channel: 'c', formats: STREAM, 'prev-id': '\n' }, /^prev-id has a control character/],
    [{ channel: 'a\nb', formats: STREAM }, /^channel has a control character/],
    [{ channel: 'c', formats: STREAM, meta: ['a'] }, /^meta is not an object/],
    [{ channel: 'c', formats: STREAM, meta: { a: 1 } }, /^meta\.a is not text/],
    [{ channel: 'c', formats: STREAM, size: -1 }, /^size is not a whole number/],
    [{ channel: 'c', formats: STREAM, size: 'x' }, /^size/],
    [{ channel: 'c', formats: STREAM, 'no-seq': 'yes' }, /^no-seq is not true or false/],
  ];
  for (const [value, detail] of faults) {
    test(`is refused as ${JSON.stringify(value)}`, () => assert.match(fault(value), detail));
  }

  test('has no members by inheritance', () => {
    const inherited = Object.create({ channel: 'c', formats: STREAM });
    assert.match(fault(inherited), /^formats has none of/);
    const item = parse(JSON.parse('{"channel":"c","http-stream":{"content":"x"},"meta":{"__proto__":"x"}}'));
    assert.deepEqual([...item.meta], [['__proto__', 'x']]);
  });

  test('is the same as a tnetstring, in which text and content are bytes', () => {
    const json = {
      channel: 'ü',
      id: '1',
      formats: {
        'http-response': { code: '201', headers: [['A', 'ü']], 'body-patch': [{ op: 'remove', path: '/a' }] },
        'http-stream': { content: 'ü' },
        'ws-message': { action: 'close', code: 3001, reason: 'ü' },
      },
      meta: { user: 'a' },
      size: 3,
      'no-seq': true,
    };
    const decoded = decodeTnetstring(encodeTnetstring(json as TnetInput), LIMITS);
    assert.deepEqual(parse(decoded), parse(json));
    const bytes = { channel: 'c', formats: { 'ws-message': { 'content-bin': Buffer.from([0xff]) } } };
    assert.deepEqual(
      parse(decodeTnetstring(encodeTnetstring(bytes), LIMITS)).formats.webSocketMessage,
      parse({ channel: 'c', 'ws-message': { 'content-bin': '/w==' } }).formats.webSocketMessage,
    );
    const notText = encodeTnetstring({ channel: Buffer.from([0xff]), 'http-stream': { content: 'x' } });
    assert.match(fault(decodeTnetstring(notText, LIMITS)), /^channel is not text/);
  });

  test('is read or refused, whatever it is', () => {
    const anything = fc.jsonValue({ maxDepth: 2 });
    const members = fc.record(
      {
        action: fc.oneof(fc.constantFrom('send', 'hint', 'close', 'refresh'), anything),
        code: anything,
        reason: anything,
        headers: anything,
        body: anything,
        'body-bin': anything,
        'body-patch': anything,
        content: anything,
        'content-bin': anything,
        type: fc.oneof(fc.constantFrom('text', 'ping'), anything),
        'content-filters': anything,
      },
      { requiredKeys: [] },
    );
    const item = fc.record(
      {
        channel: fc.oneof(fc.constant('c'), anything),
        id: anything,
        meta: anything,
        formats: fc.record(
          { 'http-response': members, 'http-stream': members, 'ws-message': members },
          { requiredKeys: [] },
        ),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(item, (value) => void resultOf('grip_item_invalid', () => parse(value))),
      { numRuns: 2000 },
    );
  });
});

describe('The format http-response', () => {
  const plain = { action: 'send', code: 200, reason: null, headers: [], exposeHeaders: [] };

  test('has a body and, by default, status 200', () => {
    assert.deepEqual(format('http-response', { body: 'ü' }), {
      ...plain,
      body: '\xc3\xbc',
      bodyPatch: null,
      contentFilters: null,
    });
  });

  test('has a status, a reason and headers, as an object or as pairs', () => {
    for (const headers of [
      { A: 'b', C: 'ü' },
      [
        ['A', 'b'],
        ['C', 'ü'],
      ],
    ]) {
      const found = format('http-response', { code: '404', reason: 'Nö', headers, 'body-bin': '/w==' });
      assert.equal(found.code, 404);
      assert.equal(found.reason, 'N\xc3\xb6');
      assert.deepEqual(found.headers, [
        ['A', 'b'],
        ['C', '\xc3\xbc'],
      ]);
      assert.equal(found.body, '\xff');
    }
  });

  test('follows Grip-Expose-Headers, and has no other fields for the gateway', () => {
    const headers = [
      ['X-A', '1'],
      ['grip-expose-headers', 'X-A, X-B'],
      ['Grip-Hold', 'stream'],
    ];
    const found = format('http-response', { headers, body: '' });
    assert.deepEqual(found.headers, [['X-A', '1']]);
    assert.deepEqual(found.exposeHeaders, ['x-a', 'x-b']);
    assert.match(
      formatFault('http-response', { headers: { 'Grip-Expose-Headers': '"' }, body: '' }),
      /^formats\.http-response\.headers\.Grip-Expose-Headers is not a list/,
    );
  });

  test('may be a patch, unless it has a body', () => {
    const patch = [{ op: 'add', path: '/a', value: [{}] }];
    const found = format('http-response', { 'body-patch': patch });
    assert.equal(found.body, null);
    assert.deepEqual(found.bodyPatch, patch);
    assert.equal(format('http-response', { body: 'x', 'body-patch': patch }).bodyPatch, null);
  });

  test('has a patch that is nested at most jsonNestingMax deep', () => {
    const limits = resolveLimits({ jsonNestingMax: 8 });
    const item = (levels: number): unknown => ({
      channel: 'c',
      'http-response': { 'body-patch': JSON.parse('['.repeat(levels) + ']'.repeat(levels)) },
    });
    parse(item(8), limits);
    assert.match(fault(item(9), limits), /^http-response\.body-patch is nested too deeply/);
    assert.match(fault(item(100_000)), /nested too deeply/);
  });

  test('may be another action, which needs nothing else', () => {
    for (const action of ['hint', 'close', 'refresh']) {
      assert.deepEqual(format('http-response', { action }), { action });
      assert.deepEqual(format('http-stream', { action, content: 'x' }), { action });
    }
  });

  const faults: [value: unknown, detail: RegExp][] = [
    [{}, /^formats\.http-response\.body is missing/],
    [{ action: 'shout', body: '' }, /action is not one of send, hint, close, refresh/],
    [{ action: 1, body: '' }, /action is not text/],
    [{ code: 99, body: '' }, /code is not a whole number from 200 to 999/],
    [{ code: '20x', body: '' }, /code/],
    [{ reason: 'a\nb', body: '' }, /reason has a control/],
    [{ headers: { 'a:': '' }, body: '' }, /invalid name: "a:"/],
    [{ headers: { a: '\0' }, body: '' }, /headers\.a has a control/],
    [{ body: {} }, /body is not text/],
    [{ 'body-bin': '_w==' }, /body-bin is not base64/],
    [{ 'body-bin': '/w===' }, /body-bin/],
    [{ 'body-bin': 'a' }, /body-bin/],
    [{ 'body-bin': 'ab c' }, /body-bin/],
    [{ 'body-patch': {} }, /body-patch is not an array/],
    [{ body: '', 'content-filters': 'f' }, /content-filters is not an array/],
    [{ body: '', 'content-filters': [1] }, /content-filters\[0\] is not text/],
  ];
  for (const [value, detail] of faults) {
    test(`is refused as ${JSON.stringify(value)}`, () =>
      assert.match(formatFault('http-response', value), detail));
  }
});

describe('The format http-stream', () => {
  test('has content as text or in base64, with or without padding', () => {
    assert.equal(format('http-stream', { content: 'a\n' }).content, 'a\n');
    assert.equal(format('http-stream', { 'content-bin': '/wE=' }).content, '\xff\x01');
    assert.equal(format('http-stream', { 'content-bin': '/wE' }).content, '\xff\x01');
    assert.equal(format('http-stream', { content: '' }).content, '');
    assert.match(formatFault('http-stream', {}), /^formats\.http-stream\.content is missing/);
  });

  test('has at most gripFiltersMax content filters', () => {
    const item = (count: number): unknown => ({
      channel: 'c',
      'http-stream': { content: '', 'content-filters': Array(count).fill('f') },
    });
    assert.deepEqual(format('http-stream', { content: '', 'content-filters': ['a', 'b'] }).contentFilters, [
      'a',
      'b',
    ]);
    parse(item(5));
    assert.match(fault(item(6)), /content-filters has 6 filters; the limit is 5/);
  });
});

describe('The format ws-message', () => {
  const frame = (value: unknown): unknown => {
    const { type, content } = format('ws-message', value);
    return [type, content];
  };

  test('is text, or binary if its content is, unless it names its type', () => {
    assert.deepEqual(frame({ content: 'a' }), ['text', 'a']);
    assert.deepEqual(frame({ 'content-bin': 'YQ==' }), ['binary', 'a']);
    assert.deepEqual(frame({ 'content-bin': 'YQ==', type: 'text' }), ['text', 'a']);
    assert.deepEqual(frame({ content: 'a', type: 'binary' }), ['binary', 'a']);
    assert.deepEqual(frame({ content: 'a', type: 'ping' }), ['ping', 'a']);
    assert.deepEqual(frame({ type: 'pong' }), ['pong', '']);
  });

  test('is refused as what no client would take', () => {
    assert.match(formatFault('ws-message', {}), /^formats\.ws-message\.content is missing/);
    assert.match(formatFault('ws-message', { type: 'text' }), /content is missing/);
    assert.match(formatFault('ws-message', { type: 'continuation', content: '' }), /type is not one of/);
    assert.match(formatFault('ws-message', { type: 'text', 'content-bin': '/w==' }), /content is not UTF-8/);
    const long = 'x'.repeat(126);
    assert.match(
      formatFault('ws-message', { type: 'ping', content: long }),
      /126 bytes; a ping has at most 125/,
    );
    const bytes = { channel: 'c', 'ws-message': { content: Buffer.from([0xff]) } };
    assert.match(fault(bytes), /content is not UTF-8/);
  });

  test('closes with a code and a reason', () => {
    const close = { action: 'close', code: 4001, reason: 'bye' };
    assert.deepEqual(format('ws-message', close), close);
    assert.deepEqual(format('ws-message', { action: 'close', code: '3000' }).code, 3000);
    assert.deepEqual(format('ws-message', { action: 'close' }), { action: 'close', code: null, reason: '' });
  });

  test('closes with nothing that must not be on the wire (RFC 6455, section 7.4)', () => {
    const code = (given: number): unknown => format('ws-message', { action: 'close', code: given }).code;
    for (const allowed of [1000, 1001, 1003, 1007, 1011, 1014, 3000, 4999])
      assert.equal(code(allowed), allowed);
    for (const other of [0, 1, 999, 1004, 1006, 1015, 1016, 2999, 5000, 65535])
      assert.equal(code(other), 1000);
    assert.equal(code(1005), null);
    assert.deepEqual(format('ws-message', { action: 'close', reason: 'r' }), {
      action: 'close',
      code: 1000,
      reason: 'r',
    });
    for (const bad of [-1, 65536, 1.5, 'x']) {
      assert.match(formatFault('ws-message', { action: 'close', code: bad }), /code is not a whole number/);
    }
  });

  test('closes with a reason of 123 bytes at most, cut at a character', () => {
    const reason = (given: string): unknown =>
      format('ws-message', { action: 'close', reason: given }).reason;
    assert.equal(reason('x'.repeat(123)), 'x'.repeat(123));
    assert.equal(reason('x'.repeat(124)), 'x'.repeat(123));
    assert.equal(reason(`${'x'.repeat(122)}ü`), 'x'.repeat(122));
    assert.equal(reason('日'.repeat(41)), '日'.repeat(41));
    assert.equal(reason('😀'.repeat(31)), '😀'.repeat(30));
    assert.match(formatFault('ws-message', { action: 'close', reason: 1 }), /reason is not text/);
  });

  test('may be a hint or a refresh', () => {
    for (const action of ['hint', 'refresh']) assert.deepEqual(format('ws-message', { action }), { action });
  });
});
