import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { TidegateError } from '../../../src/kernel/index.ts';
import { type SseEvent, SseParser } from '../../../src/wire/sse/index.ts';

function parse(
  stream: string,
  slices: 'whole' | 'bytes' = 'whole',
): [name: string, id: string, data: string][] {
  const events: SseEvent[] = [];
  const parser = new SseParser({ event: (event) => events.push(event) }, 1 << 20);
  const bytes = Buffer.from(stream);
  if (slices === 'whole') parser.push(bytes);
  else for (let at = 0; at < bytes.length; at++) parser.push(bytes.subarray(at, at + 1));
  return events.map((event) => [event.name, event.lastEventId, event.data]);
}

// The cases are the examples and rules of the HTML standard, section 9.2.6.
const cases: [rule: string, stream: string, events: [string, string, string][]][] = [
  [
    'several data lines make one text',
    'data: YHOO\ndata: +2\ndata: 10\n\n',
    [['message', '', 'YHOO\n+2\n10']],
  ],
  [
    'a comment is no event, and an id stays',
    ': test\n\ndata: a\nid: 1\n\ndata:b\n\n',
    [
      ['message', '1', 'a'],
      ['message', '1', 'b'],
    ],
  ],
  [
    'an empty id resets it',
    'id: 1\ndata: a\n\nid\ndata: b\n\n',
    [
      ['message', '1', 'a'],
      ['message', '', 'b'],
    ],
  ],
  [
    'an id with NUL is ignored',
    'id: 1\ndata: a\n\nid: 2\0\ndata: b\n\n',
    [
      ['message', '1', 'a'],
      ['message', '1', 'b'],
    ],
  ],
  [
    'only one leading space is removed',
    'data:  a\n\ndata:b\n\n',
    [
      ['message', '', ' a'],
      ['message', '', 'b'],
    ],
  ],
  [
    'data without value is an empty line',
    'data\n\ndata\ndata\n\ndata:',
    [
      ['message', '', ''],
      ['message', '', '\n'],
    ],
  ],
  [
    'an event without data is none, and its name is forgotten',
    'event: x\n\ndata: a\n\n',
    [['message', '', 'a']],
  ],
  [
    'lines end with LF, CR or CRLF',
    'data: a\r\rdata: b\r\n\r\ndata: c\n\ndata: d\r\n\n',
    [
      ['message', '', 'a'],
      ['message', '', 'b'],
      ['message', '', 'c'],
      ['message', '', 'd'],
    ],
  ],
  [
    'a byte order mark is skipped at the start only',
    '\ufeffdata: a\n\ndata: \ufeffb\n\n',
    [
      ['message', '', 'a'],
      ['message', '', '\ufeffb'],
    ],
  ],
  ['unknown fields are ignored', 'colour: red\ndata: a\nDATA: b\n\n', [['message', '', 'a']]],
  ['an event cut short by the end is not told', 'data: a\n\ndata: b\n', [['message', '', 'a']]],
];

describe('The SSE parser', () => {
  for (const [rule, stream, events] of cases) {
    it(rule, () => {
      assert.deepEqual(parse(stream), events);
      assert.deepEqual(parse(stream, 'bytes'), events);
    });
  }

  it('takes a retry of digits only', () => {
    const delays: number[] = [];
    const parser = new SseParser(
      { event: () => assert.fail(), retry: (delayMs) => delays.push(delayMs) },
      1000,
    );
    parser.push(Buffer.from('retry: 3000\nretry: 1.5\nretry: -1\nretry:\n'));
    assert.deepEqual(delays, [3000]);
  });

  it('refuses an event larger than its limit, in one line or in many', () => {
    for (const stream of [`data: ${'x'.repeat(2000)}`, 'data: 0123456789\n'.repeat(200)]) {
      const parser = new SseParser({ event: () => assert.fail() }, 1000);
      assert.throws(
        () => {
          for (const byte of Buffer.from(stream)) parser.push(Buffer.of(byte));
        },
        (error) => error instanceof TidegateError && error.code === 'body_too_large',
      );
    }
  });

  it('survives any bytes, and gives the same for any slices', () => {
    const part = fc.constantFrom(
      'data',
      'id',
      'event',
      ':',
      ' ',
      '\n',
      '\r',
      '\r\n',
      '\n\n',
      'x',
      'ü',
      '\0',
      '\ufeff',
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 40 }), (parts) => {
        const stream = parts.join('');
        assert.deepEqual(parse(stream, 'bytes'), parse(stream));
      }),
    );
  });
});
