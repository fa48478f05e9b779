/**
 * Runs the tests: `npm test` the fast ones (`*.test.ts`), `npm run test:long` those that take minutes (`*.long.test.ts`).
 * Further arguments choose files whose path holds one of them: `npm test -- log/ cli/`. Where CI is set, a skipped test
 * fails the run, because nobody would notice it.
 */
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FOLDERS = ['packages', 'bench', 'examples', 'scripts'];
const FAST_TIMEOUT_MS = 120_000;
const LONG_TIMEOUT_MS = 3_600_000;

const LONG = '.long.test.ts';

function testFiles(kind: 'fast' | 'long'): readonly string[] {
  return FOLDERS.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.test.ts') && !/(?:^|[\\/])node_modules[\\/]/.test(path))
      .filter((path) => path.endsWith(LONG) === (kind === 'long'))
      .map((path) => join(ROOT, folder, path)),
  ).sort();
}

const kind = process.argv.includes('--long') ? 'long' : 'fast';
const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const files = testFiles(kind).filter((file) => {
  const path = relative(ROOT, file);
  return wanted.length === 0 || wanted.some((part) => path.includes(part));
});
if (files.length === 0) {
  process.stderr.write(`There are no ${kind} tests whose path holds ${wanted.join(' or ')}.\n`);
  process.exit(1);
}

const skipped: string[] = [];
let failures = 0;
const tests = run({
  files: [...files],
  // Long runs put the machine under load on purpose; beside each other they would only disturb each other.
  concurrency: kind === 'long' ? 1 : Math.max(2, availableParallelism()),
  timeout: kind === 'long' ? LONG_TIMEOUT_MS : FAST_TIMEOUT_MS,
});
tests.on('test:fail', ({ todo }) => {
  if (todo === undefined) failures++;
});
tests.on('test:pass', ({ name, skip, file }) => {
  if (skip !== undefined)
    skipped.push(`${relative(ROOT, file ?? '')}: ${name} (${skip === true ? 'no reason given' : skip})`);
});
tests.on('close', () => {
  if (skipped.length > 0)
    process.stdout.write(`\nSkipped:\n${skipped.map((line) => `  ${line}\n`).join('')}`);
  const inCi = process.env.CI !== undefined && process.env.CI !== '' && process.env.CI !== 'false';
  if (inCi && skipped.length > 0) process.stdout.write('\nSkipped tests fail the run where CI is set.\n');
  process.exitCode = failures > 0 || (inCi && skipped.length > 0) ? 1 : 0;
});
tests.compose(new spec()).pipe(process.stdout);
