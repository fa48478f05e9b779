import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { withFile } from '../config/check-text.ts';
import { runProgram } from './run-program.ts';

test('a routes file is printed as resources, with what could not be taken over as comments and as errors', async () => {
  const { code, output, errors } = await withFile(
    '* localhost:8000,sub=news,one_event\nx.example test\n',
    (file) => runProgram(['import', 'pushpin', file]),
  );
  const resources = parseAllDocuments(output).map((document) => document.toJS());
  assert.deepEqual(resources, [
    { kind: 'upstream', name: 'line-1', spec: { targets: [{ url: 'http://localhost:8000' }] } },
    {
      kind: 'route',
      name: 'line-1',
      spec: { match: { path: '/*' }, upstream: 'line-1', grip: { channels: ['news'] } },
    },
  ]);
  assert.match(output, /^# Line 1: one_event has no counterpart in a route, and is left out\.$/m);
  assert.match(errors, /:1: one_event has no counterpart/);
  assert.match(errors, /:2: left out: The target test is Pushpin's own\./);
  assert.equal(code, 0);
});

test('a routes file that cannot be read ends with 1, and names the line', async () => {
  const { code, output, errors } = await withFile('\n* localhost\n', (file) =>
    runProgram(['import', 'pushpin', file]),
  );
  assert.match(errors, /Line 2: localhost is not host:port\./);
  assert.match(errors, /^code: {2}routes_file_invalid$/m);
  assert.deepEqual([code, output], [1, '']);
  const gone = await runProgram(['import', 'pushpin', 'gone']);
  assert.match(gone.errors, /gone cannot be read/);
});
