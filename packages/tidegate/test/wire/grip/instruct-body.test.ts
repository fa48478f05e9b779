import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type Limits, resolveLimits } from '../../../src/kernel/index.ts';
import { type Field, type GripInstruct, parseInstructBody } from '../../../src/wire/grip/index.ts';
import { faultOf, resultOf } from './faults.ts';

const LIMITS = resolveLimits();

interface Given {
  readonly status?: number;
  readonly fields?: readonly Field[];
  readonly limits?: Limits;
}

function parseBytes(body: Buffer, { status = 200, fields = [], limits = LIMITS }: Given = {}): GripInstruct {
  return parseInstructBody(status, fields, body, limits);
}

const parse = (json: unknown, given?: Given): GripInstruct =>
  parseBytes(Buffer.from(JSON.stringify(json)), given);
const fault = (json: unknown, given?: Given): string =>
  faultOf('grip_instruct_invalid', () => parse(json, given));
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');

const CHANNELS = [{ name: 'a' }];

describe('An instruction in a JSON body', () => {
  test('holds a response on channels', () => {
    const instruct = parse({
      hold: {
        mode: 'response',
        channels: [
          { name: 'apple', 'prev-id': 'item1', filters: ['f1'] },
          { name: 'bänana', 'prev-id': null },
        ],
        timeout: 120,
        meta: { foo: 'bar', __proto__2: 'x' },
      },
      response: {
        code: 404,
        reason: 'Nothing here',
        headers: { 'Content-Type': 'text/plain' },
        body: 'wörld',
      },
    });
    assert.equal(instruct.hold, 'response');
    assert.deepEqual(instruct.channels, [
      { name: 'apple', prevId: 'item1', filters: ['f1'] },
      { name: 'bänana', prevId: null, filters: [] },
    ]);
    assert.equal(instruct.timeoutMs, 120_000);
    assert.equal(instruct.meta.get('foo'), 'bar');
    assert.deepEqual(instruct.response?.status, { code: 404, reason: 'Nothing here' });
    assert.deepEqual(instruct.response?.headers, [['Content-Type', 'text/plain']]);
    assert.equal(text(instruct.response!.body), 'wörld');
  });

  test('holds a response if it does not say how, and nothing if it is a response only', () => {
    assert.equal(parse({ hold: { channels: [] } }).hold, 'response');
    assert.equal(parse({ hold: { mode: 'stream', channels: CHANNELS } }).hold, 'stream');
    assert.equal(parse({ response: {} }).hold, null);
  });

  test('is an empty response with status 200 if it names none', () => {
    const { response } = parse({ hold: { channels: CHANNELS } });
    assert.deepEqual(response?.status, { code: 200, reason: null });
    assert.deepEqual(response?.headers, []);
    assert.equal(response?.body.length, 0);
  });

  test('has headers as an object or as pairs, in which a name may be there twice', () => {
    const headers = [
      ['Set-Cookie', 'a=1'],
      ['Set-Cookie', ' b=à '],
    ];
    assert.deepEqual(parse({ response: { headers } }).response?.headers, [
      ['Set-Cookie', 'a=1'],
      ['Set-Cookie', 'b=\xc3\xa0'],
    ]);
  });

  test('has a body as text or in base64, which goes before', () => {
    const { response } = parse({ response: { body: 'text', 'body-bin': '/wA=' } });
    assert.deepEqual([...response!.body], [0xff, 0]);
  });

  test('has a status as a number or as text', () => {
    assert.deepEqual(parse({ response: { code: '201' } }).response?.status, { code: 201, reason: null });
  });

  test('has a keep-alive that comes at intervals, unless it says otherwise', () => {
    const keepAlive = (given: unknown) => {
      const found = parse({ hold: { channels: CHANNELS, 'keep-alive': given } }).keepAlive!;
      return [text(found.content), found.intervalMs, found.mode];
    };
    assert.deepEqual(keepAlive({ content: 'ping' }), ['ping', 55_000, 'interval']);
    assert.deepEqual(keepAlive({ 'content-bin': 'cGluZw==', timeout: 0, mode: 'idle' }), [
      'ping',
      1000,
      'idle',
    ]);
    assert.deepEqual(keepAlive({ content: '', timeout: '2.5' }), ['', 2500, 'interval']);
  });

  test('goes before the header fields, and adds to their channels and meta', () => {
    const fields: Field[] = [
      ['Grip-Hold', 'response'],
      ['Grip-Channel', 'b; prev-id=1'],
      ['Grip-Timeout', '30'],
      ['Grip-Set-Meta', 'x=1, y=1'],
      ['Grip-Status', '503 Later'],
      ['Grip-Link', '</n>; rel=next'],
      ['Grip-Keep-Alive', 'k'],
    ];
    const instruct = parse({ hold: { mode: 'stream', channels: CHANNELS, meta: { y: '2' } } }, { fields });
    assert.equal(instruct.hold, 'stream');
    assert.deepEqual(
      instruct.channels.map(({ name }) => name),
      ['b', 'a'],
    );
    assert.equal(instruct.timeoutMs, 30_000);
    assert.deepEqual(
      [...instruct.meta],
      [
        ['x', '1'],
        ['y', '2'],
      ],
    );
    assert.deepEqual(instruct.response?.status, { code: 503, reason: 'Later' });
    assert.equal(instruct.nextLink?.uri, '/n');
    assert.equal(instruct.keepAlive?.mode, 'idle');
    assert.equal(parse({}, { fields }).hold, 'response');
    assert.deepEqual(parse({ response: { code: 200 } }, { fields }).response?.status, {
      code: 200,
      reason: null,
    });
  });

  const faults: [json: unknown, detail: RegExp][] = [
    [[], /^It is not an object/],
    [null, /^It is not an object/],
    [{ hold: 'response' }, /^hold is not an object/],
    [{ hold: {} }, /^hold\.channels is missing/],
    [{ hold: { channels: {} } }, /^hold\.channels is not an array/],
    [{ hold: { channels: ['a'] } }, /^hold\.channels\[0\] is not an object/],
    [{ hold: { channels: [...CHANNELS, {}] } }, /^hold\.channels\[1\]\.name is missing/],
    [{ hold: { channels: [{ name: '' }] } }, /^hold\.channels\[0\]\.name is empty/],
    [{ hold: { channels: [{ name: 1 }] } }, /^hold\.channels\[0\]\.name is not text/],
    [{ hold: { channels: [{ name: 'a', 'prev-id': 7 }] } }, /prev-id is not text/],
    [{ hold: { channels: [{ name: 'a', 'prev-id': '1\r\nx' }] } }, /prev-id has a control character/],
    [{ hold: { channels: [{ name: 'a', filters: 'f' }] } }, /filters is not an array/],
    [{ hold: { channels: [{ name: 'a', filters: ['f', 1] }] } }, /filters\[1\] is not text/],
    [{ hold: { mode: 'forever', channels: CHANNELS } }, /^hold\.mode is not one of response, stream/],
    [{ hold: { mode: 1, channels: CHANNELS } }, /^hold\.mode is not text/],
    [{ hold: { channels: CHANNELS, timeout: -1 } }, /^hold\.timeout is not a number of seconds/],
    [{ hold: { channels: CHANNELS, timeout: 'x' } }, /^hold\.timeout/],
    [{ hold: { channels: CHANNELS, timeout: {} } }, /^hold\.timeout/],
    [{ hold: { channels: CHANNELS, meta: { a: 1 } } }, /^hold\.meta\.a is not text/],
    [{ hold: { channels: CHANNELS, meta: { a: null } } }, /^hold\.meta\.a is not text/],
    [{ hold: { channels: CHANNELS, 'keep-alive': {} } }, /^hold\.keep-alive\.content is missing/],
    [
      { hold: { channels: CHANNELS, 'keep-alive': { content: 1 } } },
      /^hold\.keep-alive\.content is not text/,
    ],
    [{ hold: { channels: CHANNELS, 'keep-alive': { 'content-bin': '%' } } }, /content-bin is not base64/],
    [{ hold: { channels: CHANNELS, 'keep-alive': { content: '', mode: 'x' } } }, /^hold\.keep-alive\.mode/],
    [{ response: [] }, /^response is not an object/],
    [{ response: { code: 101 } }, /^response\.code is not a whole number from 200 to 999/],
    [{ response: { code: 200.5 } }, /^response\.code/],
    [{ response: { code: 'OK' } }, /^response\.code/],
    [{ response: { code: true } }, /^response\.code/],
    [{ response: { reason: 'a\r\nb' } }, /^response\.reason has a control character/],
    [{ response: { headers: 'a: b' } }, /^response\.headers is not an object/],
    [{ response: { headers: { a: 1 } } }, /^response\.headers\.a is not text/],
    [{ response: { headers: { 'a b': '1' } } }, /^response\.headers has an invalid name: "a b"/],
    [{ response: { headers: { '': '1' } } }, /^response\.headers has an invalid name/],
    [{ response: { headers: { a: '1\r\nb: 2' } } }, /^response\.headers\.a has a control character/],
    [{ response: { headers: [['a']] } }, /^response\.headers\[0\] is not an array of two/],
    [{ response: { headers: [['a', 1]] } }, /^response\.headers\[0\]\[1\] is not text/],
    [{ response: { body: 1 } }, /^response\.body is not text/],
    [{ response: { 'body-bin': 'a' } }, /^response\.body-bin is not base64/],
  ];
  for (const [json, detail] of faults) {
    test(`is refused as ${JSON.stringify(json)}`, () => assert.match(fault(json), detail));
  }

  test('has a status of 200, and is JSON in UTF-8', () => {
    assert.match(fault({}), /^The body has neither hold nor response/);
    assert.match(fault({}, { status: 500 }), /^The status of an instruction is 200, and not 500/);
    for (const body of [Buffer.from(''), Buffer.from('{'), Buffer.from('"\xff"', 'latin1')]) {
      faultOf('grip_instruct_invalid', () => parseBytes(body));
    }
  });

  test('has at most gripInstructBytesMax bytes', () => {
    const limits = resolveLimits({ gripInstructBytesMax: 1024 });
    const body = (length: number): Buffer => Buffer.from('{"response":{}}'.padEnd(length));
    parseBytes(body(1024), { limits });
    assert.match(
      faultOf('grip_instruct_invalid', () => parseBytes(body(1025), { limits })),
      /1025 bytes; the limit is 1024/,
    );
  });

  test('has no more channels and filters than one in header fields, with which it shares them', () => {
    const limits = resolveLimits({ gripChannelsMax: 2 });
    const fields: Field[] = [['Grip-Channel', 'x, y']];
    assert.match(fault({ hold: { channels: CHANNELS } }, { fields, limits }), /3 channels; the limit is 2/);
    const filters = Array.from('abcdef');
    assert.match(fault({ hold: { channels: [{ name: 'a', filters }] } }), /6 filters; the limit is 5/);
  });

  test('is read or refused, whatever it is', () => {
    const anything = fc.jsonValue({ maxDepth: 2 });
    const channel = fc.record(
      { name: anything, 'prev-id': anything, filters: anything },
      { requiredKeys: [] },
    );
    const instruct = fc.record(
      {
        hold: fc.oneof(
          anything,
          fc.record(
            {
              mode: fc.oneof(fc.constant('stream'), anything),
              channels: fc.oneof(fc.array(channel), anything),
              timeout: anything,
              'keep-alive': fc.oneof(anything, fc.record({ content: anything, timeout: anything })),
              meta: anything,
            },
            { requiredKeys: [] },
          ),
        ),
        response: fc.oneof(
          anything,
          fc.record({ code: anything, headers: anything, body: anything }, { requiredKeys: [] }),
        ),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(instruct, (json) => void resultOf('grip_instruct_invalid', () => parse(json))),
      { numRuns: 1000 },
    );
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        resultOf('grip_instruct_invalid', () => parseBytes(Buffer.from(bytes)));
      }),
    );
  });
});
