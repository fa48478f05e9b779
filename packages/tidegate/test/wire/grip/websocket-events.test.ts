import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type Limits, resolveLimits } from '../../../src/kernel/index.ts';
import {
  encodeWebSocketEvents,
  parseWebSocketEvents,
  type WebSocketEvent,
} from '../../../src/wire/grip/index.ts';
import { faultOf, resultOf } from './faults.ts';

const LIMITS = resolveLimits();

const parse = (body: string, limits: Limits = LIMITS): readonly unknown[] =>
  parseWebSocketEvents(Buffer.from(body, 'latin1'), limits).map((event) =>
    'content' in event ? [event.type, Buffer.from(event.content).toString('latin1')] : event,
  );
const fault = (body: string, limits: Limits = LIMITS): string =>
  faultOf('grip_instruct_invalid', () => parse(body, limits));
const encode = (...events: WebSocketEvent[]): string => encodeWebSocketEvents(events).toString('latin1');
const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

describe('WebSocket events', () => {
  test('are read with and without content', () => {
    assert.deepEqual(
      parse(
        'OPEN\r\nTEXT 5\r\nhello\r\nBINARY 0A\r\n\r\n\xff\0TEXT 1\r\nPING\r\nPONG 1\r\nx\r\nDISCONNECT\r\n',
      ),
      [
        { type: 'OPEN' },
        ['TEXT', 'hello'],
        ['BINARY', '\r\n\xff\0TEXT 1'],
        ['PING', ''],
        ['PONG', 'x'],
        { type: 'DISCONNECT' },
      ],
    );
    assert.deepEqual(parse(''), []);
  });

  test('may have no content where others have some, and be opened with nothing', () => {
    assert.deepEqual(parse('OPEN 0\r\n\r\nTEXT\r\nBINARY 00000000\r\n\r\n'), [
      { type: 'OPEN' },
      ['TEXT', ''],
      ['BINARY', ''],
    ]);
  });

  test('close with a code and a reason that are allowed', () => {
    const close = (content: string): unknown =>
      parse(`CLOSE ${content.length.toString(16)}\r\n${content}\r\n`)[0];
    assert.deepEqual(close('\x03\xe8bye'), { type: 'CLOSE', code: 1000, reason: 'bye' });
    assert.deepEqual(close('\x0f\xa1'), { type: 'CLOSE', code: 4001, reason: '' });
    assert.deepEqual(close(''), { type: 'CLOSE', code: null, reason: '' });
    assert.deepEqual(parse('CLOSE\r\n'), [{ type: 'CLOSE', code: null, reason: '' }]);
    // The stock library for origins sends the code 0 if it is given none.
    assert.deepEqual(close('\0\0'), { type: 'CLOSE', code: 1000, reason: '' });
    assert.deepEqual(close('\x03\xed'), { type: 'CLOSE', code: null, reason: '' });
    assert.deepEqual(close('\x03\xf7\xff'), { type: 'CLOSE', code: 1000, reason: '\ufffd' });
    assert.equal((close(`\x03\xe8${'x'.repeat(200)}`) as { reason: string }).reason.length, 123);
  });

  const faults: [body: string, detail: RegExp][] = [
    ['OPEN', /no event at byte 0/],
    ['OPEN\n', /no event at byte 0/],
    ['\r\n', /no event at byte 0/],
    ['open\r\n', /no event at byte 0/],
    ['OPEN \r\n', /no event at byte 0/],
    [' OPEN\r\n', /no event at byte 0/],
    ['OPEN\r\n\r\n', /no event at byte 6/],
    ['TEXT  1\r\nx\r\n', /no event/],
    ['TEXT x\r\nx\r\n', /no event/],
    ['TEXT -1\r\nx\r\n', /no event/],
    ['TEXT 0x1\r\nx\r\n', /no event/],
    ['TEXT 1 \r\nx\r\n', /no event/],
    ['TEXT 000000001\r\nx\r\n', /no event/],
    ['TEXT ffffffff\r\nx\r\n', /event at byte 0 is not complete/],
    ['TEXT 5\r\nhello', /is not complete/],
    ['TEXT 5\r\nhello\r', /is not complete/],
    ['TEXT 4\r\nhello\r\n', /does not end where its length says/],
    ['TEXT 5\r\nhello\rX', /does not end where its length says/],
    ['TEXT 6\r\nhello\r\nOPEN\r\n', /does not end where its length says/],
    ['HELLO\r\n', /at byte 0 has the unknown type HELLO/],
    ['ABCDEFGHIJKLMNOPQRSTUVWXYZ\r\n', /no event/],
    ['OPEN\r\nOPEN 1\r\nx\r\n', /The OPEN at byte 6 has content/],
    ['DISCONNECT 1\r\nx\r\n', /The DISCONNECT at byte 0 has content/],
    ['TEXT 1\r\n\xff\r\n', /The TEXT at byte 0 is not UTF-8/],
    ['CLOSE 1\r\nx\r\n', /half a code/],
    [`PING 7e\r\n${'x'.repeat(126)}\r\n`, /more than 125 bytes/],
    [`PONG 7e\r\n${'x'.repeat(126)}\r\n`, /more than 125 bytes/],
  ];
  for (const [body, detail] of faults) {
    test(`are refused as ${JSON.stringify(body)}`, () => assert.match(fault(body), detail));
  }

  test('are at most webSocketEventsMax', () => {
    const limits = resolveLimits({ webSocketEventsMax: 2 });
    assert.equal(parse('OPEN\r\nPING\r\n', limits).length, 2);
    assert.match(fault('OPEN\r\nPING\r\nPING\r\n', limits), /more than 2 events/);
  });

  test('have a body of at most webSocketEventsBytesMax', () => {
    const limits = resolveLimits({ webSocketEventsBytesMax: 1024 });
    const text = (count: number): string => `TEXT ${count.toString(16)}\r\n${'x'.repeat(count)}\r\n`;
    assert.equal(text(1012).length, 1024);
    parse(text(1012), limits);
    assert.match(fault(text(1013), limits), /1025 bytes; the limit is 1024/);
  });

  test('are written as they are read', () => {
    assert.equal(
      encode(
        { type: 'OPEN' },
        { type: 'TEXT', content: bytes('hello') },
        { type: 'BINARY', content: bytes('') },
        { type: 'PING', content: bytes('') },
        { type: 'PONG', content: bytes('x') },
        { type: 'CLOSE', code: 4001, reason: 'bye' },
        { type: 'CLOSE', code: null, reason: '' },
        { type: 'DISCONNECT' },
      ),
      'OPEN\r\nTEXT 5\r\nhello\r\nBINARY 0\r\n\r\nPING\r\nPONG 1\r\nx\r\nCLOSE 5\r\n\x0f\xa1bye\r\nCLOSE\r\nDISCONNECT\r\n',
    );
    assert.equal(encode(), '');
    assert.equal(encode({ type: 'CLOSE', code: 1006, reason: '' }), 'CLOSE 2\r\n\x03\xe8\r\n');
  });

  test('are what was written, whatever they are', () => {
    const text = fc.string({ unit: 'grapheme' }).map((given) => Buffer.from(given));
    const binary = fc.uint8Array().map((given) => Buffer.from(given));
    const control = fc.uint8Array({ maxLength: 125 }).map((given) => Buffer.from(given));
    const event: fc.Arbitrary<WebSocketEvent> = fc.oneof(
      fc.constantFrom<WebSocketEvent>({ type: 'OPEN' }, { type: 'DISCONNECT' }),
      text.map((content) => ({ type: 'TEXT' as const, content })),
      binary.map((content) => ({ type: 'BINARY' as const, content })),
      fc
        .tuple(fc.constantFrom('PING' as const, 'PONG' as const), control)
        .map(([type, content]) => ({ type, content })),
      fc
        .tuple(fc.integer({ min: 3000, max: 4999 }), fc.string({ maxLength: 40 }))
        .map(([code, reason]) => ({ type: 'CLOSE' as const, code, reason })),
    );
    fc.assert(
      fc.property(fc.array(event), (events) => {
        assert.deepEqual(parseWebSocketEvents(encodeWebSocketEvents(events), LIMITS), events);
      }),
    );
  });

  test('are read or refused, whatever the bytes are', () => {
    const piece = fc.constantFrom('OPEN', 'TEXT', 'CLOSE', ' ', '1', 'a', '\r\n', '\r', '\n', '\xff');
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        resultOf('grip_instruct_invalid', () => parse(pieces.join('')));
      }),
      { numRuns: 3000 },
    );
  });

  test('may be many without taking long', () => {
    const limits = resolveLimits({
      webSocketEventsMax: 1_000_000,
      webSocketEventsBytesMax: 64 * 1024 * 1024,
    });
    assert.equal(parse('PING\r\n'.repeat(200_000), limits).length, 200_000);
    fault('A'.repeat(10_000_000), limits);
  });
});
