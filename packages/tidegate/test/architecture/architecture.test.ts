import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as checks from './checks.ts';
import { readTree } from './source-tree.ts';

const SOURCES = fileURLToPath(new URL('../../src/', import.meta.url));
const REPOSITORY = fileURLToPath(new URL('../../../../', import.meta.url));
const TEXT_FILES = /\.(?:ts|cjs|js|json|md|yaml|yml|html|css|c|sh)$|(?:^|\/)(?:run|LICENSE)$/;
/** Written by running the program, or by npm. */
const NOT_OURS = /^(?:data|coverage)\/|(?:^|\/)\./;

const sources = await readTree(SOURCES, (path) => path.endsWith('.ts'));
const repository = await readTree(REPOSITORY, (path) => TEXT_FILES.test(path) && !NOT_OURS.test(path));

test('the trees that the checks look at are there', () => {
  assert.ok(sources.size > 50);
  assert.ok(repository.size > sources.size);
});

test('folders import only what the table allows, through the doors', () => {
  assert.deepEqual(checks.importBreaches(sources), []);
});

test('no file and no folder imports itself by way of others', () => {
  assert.deepEqual(checks.cycleBreaches(sources), []);
  assert.deepEqual(checks.folderCycleBreaches(sources), []);
});

test('sockets, clocks, timers and randomness stay with the files that own them', () => {
  assert.deepEqual(checks.ambientBreaches(sources), []);
});

test('files are short and named for what they hold, and no parameter is a bare boolean', () => {
  assert.deepEqual(checks.styleBreaches(sources), []);
});

test('no file of the repository leaves work undone or knows one machine', () => {
  assert.deepEqual(checks.textBreaches(repository), []);
});
