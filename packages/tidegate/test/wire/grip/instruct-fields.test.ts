import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { resolveLimits } from '../../../src/kernel/index.ts';
import {
  type Field,
  fieldPairs,
  type GripInstruct,
  type InstructPlace,
  instructIn,
  instructInTurn,
  isGripField,
  octetsOfText,
  parseInstructFields,
} from '../../../src/wire/grip/index.ts';
import { faultOf, resultOf } from './faults.ts';

const LIMITS = resolveLimits();

const parse = (...fields: Field[]): GripInstruct => parseInstructFields(fields, LIMITS);
const fault = (...fields: Field[]): string => faultOf('grip_instruct_invalid', () => parse(...fields));
const channel = (name: string, prevId: string | null = null, filters: string[] = []) => ({
  name,
  prevId,
  filters,
});

/** Where a response has an instruction, by both ways of asking. */
function placeOf(fields: readonly Field[]): InstructPlace {
  const place = instructIn(fields);
  assert.equal(instructInTurn(fields.flat()), place);
  assert.deepEqual(fieldPairs(fields.flat()), fields);
  return place;
}

describe('A response', () => {
  test('asks for nothing if it has neither a Grip field nor the media type', () => {
    assert.equal(placeOf([]), 'none');
    assert.equal(
      placeOf([
        ['Content-Type', 'text/plain'],
        ['Grip', 'x'],
        ['Grip-', 'x'],
        ['XGrip-Hold', 'stream'],
        ['content-typ2', 'application/grip-instruct'],
        ['X-Content-Type', 'application/grip-instruct'],
      ]),
      'none',
    );
  });

  test('asks for interpretation by any Grip field, in any case', () => {
    for (const name of ['Grip-Hold', 'grip-x', 'GRIP-CHANNEL']) {
      assert.equal(
        placeOf([
          ['Content-Type', 'text/plain'],
          [name, ''],
        ]),
        'fields',
      );
      assert.ok(isGripField(name));
    }
  });

  test('asks for its body to be read by the media type, in any case and with parameters', () => {
    for (const type of ['application/grip-instruct', ' Application/Grip-Instruct ; charset=utf-8']) {
      assert.equal(
        placeOf([
          ['content-TYPE', type],
          ['Grip-Hold', 'x'],
        ]),
        'body',
      );
    }
    assert.equal(placeOf([['Content-Type', 'application/grip-instruct+json']]), 'none');
  });
});

describe('An instruction in header fields', () => {
  test('says nothing by default', () => {
    assert.deepEqual(parse(['Content-Type', 'text/plain'], ['Grip-Unheard-Of', '"']), {
      hold: null,
      channels: [],
      timeoutMs: 55_000,
      keepAlive: null,
      meta: new Map(),
      status: null,
      exposeHeaders: [],
      nextLink: null,
      goneLink: null,
      sessionId: null,
      sessionDetect: [],
      lastIds: new Map(),
      response: null,
    });
  });

  test('holds a response on channels of several fields', () => {
    const instruct = parse(
      ['grip-hold', 'response'],
      ['Grip-Channel', 'apple'],
      ['GRIP-CHANNEL', 'banana; prev-id=7; filter=a; filter=b, cherry'],
      ['Grip-Timeout', '120'],
      ['Grip-Set-Meta', 'foo=bar, bar="b, z"'],
      ['grip-set-meta', 'more=1'],
    );
    assert.equal(instruct.hold, 'response');
    assert.deepEqual(instruct.channels, [
      channel('apple'),
      channel('banana', '7', ['a', 'b']),
      channel('cherry'),
    ]);
    assert.equal(instruct.timeoutMs, 120_000);
    assert.deepEqual(
      [...instruct.meta],
      [
        ['foo', 'bar'],
        ['bar', 'b, z'],
        ['more', '1'],
      ],
    );
  });

  test('holds a stream on channels with any name', () => {
    const name = octetsOfText('"größe, \\"x\\"; y"');
    assert.deepEqual(parse(['Grip-Hold', ' stream '], ['Grip-Channel', name]).channels, [
      channel('größe, "x"; y'),
    ]);
  });

  test('takes an empty prev-id for none', () => {
    assert.deepEqual(parse(['Grip-Channel', 'a; prev-id=, b; prev-id=""']).channels, [
      channel('a'),
      channel('b'),
    ]);
  });

  test('has a time-out of 5 seconds at least, and of gripIntervalMsMax at most', () => {
    const timeoutMs = (value: string): number => parse(['Grip-Timeout', value]).timeoutMs;
    assert.deepEqual(
      ['0', '5', '5.5', '6', '9999999999'].map(timeoutMs),
      [5000, 5000, 5500, 6000, 86_400_000],
    );
    const limits = resolveLimits({ gripIntervalMsMax: 60_000 });
    assert.equal(parseInstructFields([['Grip-Timeout', '61']], limits).timeoutMs, 60_000);
  });

  test('has a status with or without a reason', () => {
    assert.deepEqual(parse(['Grip-Status', '404']).status, { code: 404, reason: null });
    assert.deepEqual(parse(['Grip-Status', '304 Not Here']).status, { code: 304, reason: 'Not Here' });
  });

  test('names the fields to relay', () => {
    const fields: Field[] = [
      ['Grip-Expose-Headers', 'X-A, x-b'],
      ['Grip-Expose-Headers', 'X-C'],
    ];
    assert.deepEqual(parse(...fields).exposeHeaders, ['x-a', 'x-b', 'x-c']);
  });

  test('has links for what is next and for whoever has gone', () => {
    const instruct = parse(
      ['Grip-Link', '</next?a=1,2;b>; rel=next; timeout=30, <https://other.example/gone>; rel="gone"'],
      ['Grip-Link', '</later>; rel=unheard-of'],
    );
    assert.deepEqual(instruct.nextLink, { uri: '/next?a=1,2;b', timeoutMs: 30_000 });
    assert.equal(instruct.goneLink, 'https://other.example/gone');
    const timeouts = ['', '; timeout=0', '; timeout=9999999999'].map(
      (timeout) => parse(['Grip-Link', `<n>; rel=next${timeout}`]).nextLink?.timeoutMs,
    );
    assert.deepEqual(timeouts, [120_000, 5000, 86_400_000]);
  });

  test('has what sessions need', () => {
    const instruct = parse(
      ['Grip-Session-Id', octetsOfText(' à ')],
      ['Grip-Session-Detect', 'path-prefix=/a; sid-ptr="/x, y"; json-param=p'],
      ['Grip-Session-Detect', 'Path-Prefix=/b; SID-Ptr=/z'],
      ['Grip-Last', 'a; last-id=1, "b;"; last-id=2'],
    );
    assert.equal(instruct.sessionId, 'à');
    assert.deepEqual(instruct.sessionDetect, [
      { pathPrefix: '/a', sidPointer: '/x, y', jsonParam: 'p' },
      { pathPrefix: '/b', sidPointer: '/z', jsonParam: null },
    ]);
    assert.deepEqual(
      [...instruct.lastIds],
      [
        ['a', '1'],
        ['b;', '2'],
      ],
    );
  });

  test('may say the same thing twice, but not two things', () => {
    assert.equal(parse(['Grip-Hold', 'stream'], ['grip-hold', 'stream']).hold, 'stream');
    assert.match(fault(['Grip-Hold', 'stream'], ['grip-hold', 'response']), /^Grip-Hold is there more/);
  });

  const faults: [name: string, value: string, detail: RegExp][] = [
    ['Grip-Hold', 'forever', /^Grip-Hold is neither response nor stream: "forever"/],
    ['Grip-Hold', '', /^Grip-Hold/],
    ['Grip-Hold', 'Stream', /^Grip-Hold/],
    ['Grip-Channel', '; prev-id=1', /^Grip-Channel/],
    ['Grip-Channel', '"a', /^Grip-Channel/],
    ['Grip-Channel', 'caf\xe9', /^Grip-Channel is not UTF-8/],
    ['Grip-Timeout', 'soon', /^Grip-Timeout is not a number of seconds: "soon"/],
    ['Grip-Timeout', '-1', /^Grip-Timeout/],
    ['Grip-Timeout', '', /^Grip-Timeout/],
    ['Grip-Timeout', '1e3', /^Grip-Timeout/],
    ['Grip-Timeout', '99999999999', /^Grip-Timeout/],
    ['Grip-Keep-Alive', '', /^Grip-Keep-Alive has no data/],
    ['Grip-Status', 'OK', /^Grip-Status/],
    ['Grip-Status', '101', /^Grip-Status/],
    ['Grip-Status', '20', /^Grip-Status/],
    ['Grip-Status', '2000', /^Grip-Status/],
    ['Grip-Status', '200OK', /^Grip-Status/],
    ['Grip-Link', '</a>', /^Grip-Link has a link without rel/],
    ['Grip-Link', '/a; rel=next', /^Grip-Link/],
    ['Grip-Link', '<>; rel=next', /^Grip-Link has an element without a value/],
    ['Grip-Link', '</a b>; rel=gone', /^Grip-Link has no valid URI for gone/],
    ['Grip-Link', '<javascript:1>; rel=next', /^Grip-Link has no valid URI/],
    ['Grip-Link', '<http://[>; rel=next', /^Grip-Link has no valid URI/],
    ['Grip-Link', '</a>; rel=next, </b>; rel=next', /^Grip-Link has two links for next/],
    ['Grip-Link', '</a>; rel=gone, </b>; rel=gone', /^Grip-Link has two links for gone/],
    ['Grip-Link', '</a>; rel=next; timeout=x', /^Grip-Link: timeout/],
    ['Grip-Set-Meta', '=1', /^Grip-Set-Meta/],
    ['Grip-Session-Id', '\xff', /^Grip-Session-Id/],
    ['Grip-Session-Detect', 'path-prefix=/a', /^Grip-Session-Detect/],
    ['Grip-Last', 'a', /^Grip-Last has no last-id for "a"/],
  ];
  for (const [name, value, detail] of faults) {
    test(`is refused with ${name}: ${JSON.stringify(value)}`, () => {
      assert.match(fault([name, value]), detail);
    });
  }

  test('names at most gripChannelsMax channels', () => {
    const limits = resolveLimits({ gripChannelsMax: 2 });
    const fields = (value: string): Field[] => [['Grip-Channel', value]];
    assert.equal(parseInstructFields(fields('a, b'), limits).channels.length, 2);
    assert.match(
      faultOf('grip_instruct_invalid', () => parseInstructFields(fields('a, b, c'), limits)),
      /3 channels; the limit is 2/,
    );
  });

  test('has at most gripFiltersMax filters for a channel', () => {
    const filters = (count: number): Field => ['Grip-Channel', `a${'; filter=f'.repeat(count)}`];
    assert.equal(parse(filters(5)).channels[0].filters.length, 5);
    assert.match(fault(filters(6)), /^The channel "a" has 6 filters; the limit is 5/);
  });

  test('is read or refused, whatever it is', () => {
    const name = fc.constantFrom(
      'Grip-Hold',
      'Grip-Channel',
      'Grip-Timeout',
      'Grip-Keep-Alive',
      'Grip-Set-Meta',
      'Grip-Status',
      'Grip-Expose-Headers',
      'Grip-Link',
      'Grip-Session-Id',
      'Grip-Session-Detect',
      'Grip-Last',
    );
    const piece = fc.constantFrom('a', '1', '"', '\\', ';', ',', '=', ' ', '<', '>', 'rel=next', 'timeout=');
    const value = fc.array(fc.oneof(piece, fc.string({ maxLength: 2 }))).map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 3 }), (fields) => {
        resultOf('grip_instruct_invalid', () => parse(...fields));
      }),
      { numRuns: 3000 },
    );
  });
});

describe('A keep-alive in a header field', () => {
  const keepAlive = (value: string) => {
    const { content, intervalMs, mode } = parse(['Grip-Keep-Alive', value]).keepAlive!;
    return [Buffer.from(content).toString('latin1'), intervalMs, mode];
  };

  test('is raw by default, with whatever is before the first semicolon', () => {
    assert.deepEqual(keepAlive('ping\\n'), ['ping\\n', 55_000, 'idle']);
    assert.deepEqual(keepAlive(' "a", b ; timeout=10'), ['"a", b', 10_000, 'idle']);
    assert.deepEqual(keepAlive('\xa0\xff\x85 ; format=raw'), ['\xa0\xff\x85', 55_000, 'idle']);
  });

  test('may be escaped', () => {
    assert.deepEqual(keepAlive('a\\r\\n\\\\\\x00\\xfF; format=cstring'), ['a\r\n\\\0\xff', 55_000, 'idle']);
  });

  test('may be base64', () => {
    assert.deepEqual(keepAlive('cGluZzMK; format=base64; timeout="20"'), ['ping3\n', 20_000, 'idle']);
    assert.deepEqual(keepAlive('/+8=; format=base64'), ['\xff\xef', 55_000, 'idle']);
  });

  test('comes when nothing else does, or at intervals, of a second at least', () => {
    assert.deepEqual(keepAlive('a; mode=idle; timeout=0'), ['a', 1000, 'idle']);
    assert.deepEqual(keepAlive('a; Mode=interval; timeout=9999999999'), ['a', 86_400_000, 'interval']);
  });

  const faults: [value: string, detail: RegExp][] = [
    ['; timeout=1', /no data/],
    ['a; mode=often', /unknown mode, "often"/],
    ['a; timeout=', /timeout that is not/],
    ['a; timeout=-1', /timeout that is not/],
    ['a; format=hex', /unknown format, "hex"/],
    ['a\\; format=cstring', /backslash/],
    ['a\\t; format=cstring', /backslash/],
    ['a\\x1; format=cstring', /backslash/],
    ['a\\x1g; format=cstring', /backslash/],
    ['a\\constructor; format=cstring', /backslash/],
    ['a-b_; format=base64', /base64/],
    ['abcde; format=base64', /base64/],
    ['ab=; format=base64', /base64/],
    ['a; format="raw', /quote/],
  ];
  for (const [value, detail] of faults) {
    test(`is refused as ${value}`, () => assert.match(fault(['Grip-Keep-Alive', value]), detail));
  }

  test('is the bytes that were escaped, whatever they are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), (bytes) => {
        const hex = [...bytes].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
        const { content } = parse(['Grip-Keep-Alive', `${hex}; format=cstring`]).keepAlive!;
        assert.deepEqual([...content], [...bytes]);
      }),
    );
  });
});
