import assert from 'node:assert/strict';
import { test } from 'node:test';
import { markdownTable, plainTable } from '../support/table.ts';

const table = {
  title: 'Deliveries',
  columns: ['server', 'each second', 'ratio'],
  rows: [
    ['one', 1234567, 0.5],
    ['another', 7, Number.NaN],
  ],
  notes: ['A note.'],
};

test('a plain table aligns names left and numbers right', () => {
  assert.equal(
    plainTable(table),
    [
      'Deliveries',
      '',
      'server   each second  ratio',
      '-------  -----------  -----',
      'one        1,234,567   0.50',
      'another            7      -',
      '',
      'A note.',
      '',
    ].join('\n'),
  );
});

test('a Markdown table tells the alignment in its rule', () => {
  assert.equal(
    markdownTable(table),
    [
      '### Deliveries',
      '',
      '| server | each second | ratio |',
      '| --- | --: | --: |',
      '| one | 1,234,567 | 0.50 |',
      '| another | 7 | - |',
      '',
      'A note.',
      '',
    ].join('\n'),
  );
});

test('large numbers lose their fraction and small ones keep two places', () => {
  const plain = plainTable({
    title: '',
    columns: ['a', 'b', 'c', 'd'],
    rows: [[1234.567, 123.456, 12.345, 1.2345]],
  });
  assert.match(plain, /1,235 +123 +12\.3 +1\.23/);
});
