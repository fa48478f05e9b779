import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  formatElement,
  octetsOfText,
  type Parameter,
  parseElements,
  parsePairs,
} from '../../../src/wire/grip/index.ts';
import { faultOf, resultOf } from './faults.ts';

const fault = (octets: string): string =>
  faultOf('grip_instruct_invalid', () => parseElements('Grip-Channel', octets));

/** Elements as [value, ...parameters]. */
const read = (octets: string): unknown =>
  parseElements('Grip-Channel', octets).map(({ value, parameters }) => [value, ...parameters]);

describe('A list of elements with parameters', () => {
  test('is read with its values, parameters and quotes', () => {
    assert.deepEqual(read('apple; prev-id=item1; filter=f1'), [
      ['apple', ['prev-id', 'item1'], ['filter', 'f1']],
    ]);
    assert.deepEqual(read('banana;filter=f2, cherry ; filter = f1;filter="f2"'), [
      ['banana', ['filter', 'f2']],
      ['cherry', ['filter', 'f1'], ['filter', 'f2']],
    ]);
    assert.deepEqual(read('"a, b; c"; x="quoted \\" \\\\ string"'), [
      ['a, b; c', ['x', 'quoted " \\ string']],
    ]);
  });

  test('may have white space around every separator, and empty elements and parameters', () => {
    assert.deepEqual(read(' \ta ;\tx = 1 ;; y ; , ,b,'), [['a', ['x', '1'], ['y', '']], ['b']]);
    for (const nothing of ['', ' ', ',', ' , ,']) assert.deepEqual(read(nothing), []);
  });

  test('has parameters in any case, and values as they are', () => {
    assert.deepEqual(read('A; Prev-ID=X=y==; FILTER'), [['A', ['prev-id', 'X=y=='], ['filter', '']]]);
  });

  test('has words with spaces and equal signs in them', () => {
    assert.deepEqual(read('a b=c; x=1 2'), [['a b=c', ['x', '1 2']]]);
  });

  test('is UTF-8', () => {
    assert.deepEqual(read(octetsOfText('café; x="日本"')), [['café', ['x', '日本']]]);
    assert.match(fault('caf\xe9'), /is not UTF-8/);
    // Octets that are white space to JavaScript, but not to HTTP.
    assert.deepEqual(read(octetsOfText('à;x=à ,\u3000')), [['à', ['x', 'à']], ['\u3000']]);
  });

  const faults: [octets: string, detail: RegExp][] = [
    ['"a', /quote that is not closed/],
    ['"a\\', /quote that is not closed/],
    ['"a\\"', /quote that is not closed/],
    ['a; x="b', /quote that is not closed/],
    ['"a" b', /"b" too many/],
    ['a; x="b"c', /"c" too many/],
    ['a"b', /quote within a word/],
    ['a; x=b"c"', /quote within a word/],
    ['a; x"=1', /quote within a word/],
    ['; x=1', /element without a value/],
    ['a, ; x=1', /element without a value/],
    ['""', /element without a value/],
    ['a; =1', /parameter without a name/],
  ];
  for (const [octets, detail] of faults) {
    test(`is refused as ${octets}`, () => {
      assert.match(fault(octets), detail);
      assert.match(fault(octets), /^Grip-Channel /);
    });
  }

  test('may have links as values, in which separators have no meaning', () => {
    assert.deepEqual(parseElements('Grip-Link', '</a;b?c=1,2"3>; rel=next, <d>;rel="gone"', 'links'), [
      { value: '/a;b?c=1,2"3', parameters: [['rel', 'next']] },
      { value: 'd', parameters: [['rel', 'gone']] },
    ]);
    for (const octets of ['/a; rel=next', '</a; rel=next', '/a>; rel=next']) {
      assert.match(
        faultOf('grip_instruct_invalid', () => parseElements('Grip-Link', octets, 'links')),
        /^Grip-Link has a link that is not in angle brackets/,
      );
    }
  });

  test('is what was written, whatever the texts', () => {
    const text = fc.oneof(fc.string({ minLength: 1 }), fc.string({ minLength: 1, unit: 'grapheme' }));
    const name = fc.stringMatching(/^[a-z-]{1,8}$/);
    const element = fc.tuple(text, fc.array(fc.tuple(name, fc.oneof(text, fc.constant('')))));
    fc.assert(
      fc.property(fc.array(element), (elements) => {
        const octets = elements.map(([value, parameters]) => formatElement(value, parameters)).join(', ');
        assert.match(octets, /^[^\u0100-\uffff]*$/);
        assert.deepEqual(
          parseElements('X', octets),
          elements.map(([value, parameters]) => ({ value, parameters: parameters as Parameter[] })),
        );
      }),
    );
  });

  test('is written without quotes where none are needed', () => {
    assert.equal(formatElement('orders/1 a', [['last-id', 'x:1-2=']]), 'orders/1 a; last-id=x:1-2=');
    assert.equal(formatElement('a;b', [['last-id', ' ']]), '"a;b"; last-id=" "');
  });

  test('is read or refused, whatever it is', () => {
    const octets = fc.string({
      unit: fc.constantFrom('a', 'B', '"', '\\', ';', ',', '=', ' ', '\t', '<', '>', '\xc3', '\xa4'),
    });
    fc.assert(
      fc.property(octets, (value) => {
        resultOf('grip_instruct_invalid', () => parseElements('X', value));
        resultOf('grip_instruct_invalid', () => parseElements('X', value, 'links'));
        resultOf('grip_instruct_invalid', () => parsePairs('X', value));
      }),
      { numRuns: 3000 },
    );
  });

  test('may be long without taking long', () => {
    const long = 1_000_000;
    for (const unit of ['a', '"', '\\', ';', ',', '=', ' ', 'a;', 'a,', '"a', '"",', '\\"', 'a; x="', '<']) {
      const octets = unit.repeat(long / unit.length);
      resultOf('grip_instruct_invalid', () => parseElements('X', octets));
      resultOf('grip_instruct_invalid', () => parseElements('X', octets, 'links'));
      resultOf('grip_instruct_invalid', () => parsePairs('X', octets));
      resultOf('grip_instruct_invalid', () => parseElements('X', `"${octets}`));
    }
  });
});

describe('A list of pairs', () => {
  test('has commas or semicolons between them, and keeps the case of names', () => {
    assert.deepEqual(parsePairs('Grip-Set-Meta', 'Foo=bar, b="x, \\"y\\"";c = d e;, f'), [
      ['Foo', 'bar'],
      ['b', 'x, "y"'],
      ['c', 'd e'],
      ['f', ''],
    ]);
  });

  test('is refused with a name that is quoted or missing', () => {
    for (const octets of ['"a"=1', '=1', 'a=1, =2']) {
      faultOf('grip_instruct_invalid', () => parsePairs('Grip-Set-Meta', octets));
    }
  });
});
