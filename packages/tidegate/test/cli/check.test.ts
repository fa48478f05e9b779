import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withFile } from '../config/check-text.ts';
import { runProgram } from './run-program.ts';

test('a config file that is fine ends with 0', async () => {
  const { code, output } = await withFile('topics: {orders: {}}\n', (file) => runProgram(['check', file]));
  assert.match(output, /tidegate\.yaml is fine: 1 declared topic\n$/);
  assert.equal(code, 0);
});

test('mistakes are told with their places and end with 1', async () => {
  const { code, output } = await withFile('listen: {prot: 5}\n', (file) => runProgram(['check', file]));
  assert.match(output, /tidegate\.yaml:1:10: listen: "prot" is not a known key\.\n {4}Did you mean port\?/);
  assert.match(output, /has 1 mistake\n$/);
  assert.equal(code, 1);
});

test('--json tells the mistakes as an array', async () => {
  const { code, output } = await withFile('listen: {prot: 5}\n', (file) =>
    runProgram(['check', file, '--json']),
  );
  const [problem, ...rest] = JSON.parse(output);
  assert.deepEqual(rest, []);
  assert.deepEqual([problem.line, problem.column, problem.path], [1, 10, 'listen']);
  assert.equal(code, 1);
  const fine = await withFile('', (file) => runProgram(['check', file, '--json']));
  assert.deepEqual([fine.code, fine.output], [0, '[]\n']);
});

test('a file that is not there ends with 1', async () => {
  const { code, errors } = await runProgram(['check', 'gone.yaml']);
  assert.match(errors, /gone\.yaml: there is no such file/);
  assert.equal(code, 1);
});

test('start refuses a config with mistakes and tells all of them', async () => {
  const { code, errors } = await withFile('listen: {prot: 5}\nlogLevel: loud\n', (file) =>
    runProgram(['start', '--config', file]),
  );
  assert.match(errors, /tidegate\.yaml:1:10: [\s\S]*tidegate\.yaml:2:11: /);
  assert.match(errors, /^code: {2}config_invalid$/m);
  assert.equal(code, 1);
});
