import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { PARTS, pagePath, withPart } from '../../../../scripts/generated-docs.ts';
import { problemsOf } from '../config/check-text.ts';
import { readTree } from './source-tree.ts';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const SOURCES = fileURLToPath(new URL('../../src/', import.meta.url));

const pages = await readTree(ROOT, (path) => path.endsWith('.md') && !/(?:^|\/)\./.test(path));
const sources = await readTree(SOURCES, (path) => path.endsWith('.ts'));
const page = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

for (const { file, name, text } of PARTS) {
  test(`the ${name} in ${file} are those of the sources (npm run docs writes them)`, () => {
    const written = readFileSync(pagePath(file), 'utf8');
    assert.equal(written, withPart(written, name, text()));
  });
}

/** The name of a heading in a link, as GitHub makes it. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');

function anchorsOf(markdown: string): readonly string[] {
  return [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => anchorOf(heading));
}

test('every link to a file or a heading of the repository leads somewhere', () => {
  const dead: string[] = [];
  for (const [path, text] of pages) {
    const prose = text.replaceAll(/```[\s\S]*?```/g, '').replaceAll(/`[^`\n]*`/g, '');
    for (const [, target] of prose.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const [file, anchor] = target.split('#');
      const full = file === '' ? join(ROOT, path) : join(ROOT, dirname(path), file);
      const isThere = existsSync(full) && !relative(ROOT, full).startsWith('..');
      if (!isThere) dead.push(`${path}: ${target}`);
      else if (anchor !== undefined && !anchorsOf(readFileSync(full, 'utf8')).includes(anchor))
        dead.push(`${path}: ${target}`);
    }
  }
  assert.deepEqual(dead, []);
});

test('every page of docs/ is reached from its index', () => {
  const index = page('docs/index.md');
  for (const path of pages.keys()) {
    if (!path.startsWith('docs/') || path === 'docs/index.md') continue;
    assert.ok(index.includes(`](${relative('docs', path)})`), path);
  }
});

test('every config that the documentation shows is valid', async () => {
  let shown = 0;
  for (const path of [
    'README.md',
    'docs/configuration.md',
    'docs/limits.md',
    'docs/tls.md',
    'docs/routes.md',
  ]) {
    for (const [, yaml] of page(path).matchAll(/```yaml\n([\s\S]*?)```/g)) {
      assert.deepEqual(await problemsOf(yaml), [], path);
      shown++;
    }
  }
  assert.ok(shown >= 2);
});

test('every metric of the server is documented, and no other', () => {
  const counted = new Set<string>();
  for (const source of sources.values()) {
    for (const [, name] of source.matchAll(/'((?:tidegate|process|nodejs)_[a-z_]+_?[a-z]+)'/g))
      counted.add(name);
  }
  const described = new Set(
    [...page('docs/operations.md').matchAll(/^\| (`.*?) \|/gm)].flatMap(([, cell]) =>
      [...cell.matchAll(/`((?:tidegate|process|nodejs)_\w+)`/g)].map(([, name]) => name),
    ),
  );
  assert.deepEqual([...described].sort(), [...counted].sort());
  assert.ok(counted.size > 25);
});

test('every dependency has its reason, and no other is listed', () => {
  const manifests = [
    'package.json',
    'packages/tidegate/package.json',
    'bench/package.json',
    'examples/earthquakes/package.json',
    'examples/echo/package.json',
    'examples/live-departures/package.json',
  ];
  const declared = new Set<string>();
  for (const path of manifests) {
    const { dependencies, devDependencies } = JSON.parse(page(path));
    for (const name of Object.keys({ ...dependencies, ...devDependencies })) declared.add(name);
  }
  const listed = [...page('docs/dependencies.md').matchAll(/^\| (`.*?) \|/gm)].flatMap(([, cell]) =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name),
  );
  assert.deepEqual(listed.sort(), [...declared].sort());
});
