import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const require = createRequire(import.meta.url);
const BIN = join(import.meta.dirname, '../../bin');

interface Check {
  findProblem(version: string, folder: string): string | null;
  isNewEnough(version: string): boolean;
}

const { findProblem, isNewEnough } = require(join(BIN, 'check-runtime.cjs')) as Check;

test('a runtime is new enough from the version on that package.json names', () => {
  const { engines } = JSON.parse(readFileSync(join(BIN, '../package.json'), 'utf8'));
  assert.equal(engines.node, '>=22.22');
  for (const version of ['v22.22.0', 'v22.30.1', 'v24.0.0', 'v26.10.0', 'v100.0.0'])
    assert.ok(isNewEnough(version), version);
  for (const version of ['v22.21.9', 'v22.3.0', 'v20.20.2', 'v18.0.0', 'v8.17.0'])
    assert.ok(!isNewEnough(version), version);
});

test('a runtime that is too old is told what it is, what is needed and how to get it', () => {
  const problem = findProblem('v20.20.2', BIN) ?? '';
  assert.match(problem, /needs Node\.js 22\.22 or newer, and this is v20\.20\.2/);
  assert.match(problem, /^ {4}npm install$/m);
});

test('dependencies that are not installed are told before anything else', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-test-'));
  try {
    assert.match(
      findProblem('v20.20.2', folder) ?? '',
      /^Tidegate cannot start: its dependencies are not installed\./,
    );
    assert.match(findProblem('v26.10.0', folder) ?? '', /npm install/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('this runtime has no problem', () => {
  assert.equal(findProblem(process.version, BIN), null);
});

test('what runs before the check is JavaScript that old runtimes read', () => {
  for (const file of ['check-runtime.cjs', 'tidegate.cjs']) {
    const source = readFileSync(join(BIN, file), 'utf8');
    // Introduced after Node 12: optional chaining, nullish coalescing, logical assignment, private members, `node:` names.
    assert.doesNotMatch(source, /\?\.[A-Za-z([]|\?\?|\|\|=|&&=|#[a-z]+\b\s*[=(;]|['"]node:/, file);
  }
});
