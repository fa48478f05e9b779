import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as checks from './checks.ts';
import { LINES_MAX } from './rules.ts';
import { importsOf, type SourceTree } from './source-tree.ts';

/** A small tree that keeps to every rule. */
const SOUND: Readonly<Record<string, string>> = {
  'kernel/index.ts': "export { systemClock } from './clock.ts';\n",
  'kernel/clock.ts': 'export const systemClock = { nowMs: () => Date.now() };\n',
  'log/index.ts': "import { systemClock } from '../kernel/index.ts';\nexport const log = systemClock;\n",
  'log/port.ts': 'export interface Log {}\n',
  'log/options.ts': 'export const schema = {};\n',
  'channels/index.ts': "import type { Log } from '../log/port.ts';\nexport type Channels = Log;\n",
  'config/index.ts': "import { schema } from '../log/options.ts';\nexport const config = schema;\n",
  'edges/sse/index.ts': "import { shared } from '../shared-framing.ts';\nexport const sse = shared;\n",
  'edges/poll/index.ts': 'export const poll = 1;\n',
  'edges/shared-framing.ts': 'export const shared = 1;\n',
  'edges/index.ts': "export { sse } from './sse/index.ts';\nexport { poll } from './poll/index.ts';\n",
  'listeners/index.ts': "import { createServer } from 'node:net';\nexport const server = createServer;\n",
  'main.ts': "import { log } from './log/index.ts';\nexport const main = log;\n",
  'cli/commands/start.ts': "export const start = () => import('../../main.ts');\n",
};

const treeWith = (files: Readonly<Record<string, string>>): SourceTree =>
  new Map(Object.entries({ ...SOUND, ...files }));

const allBreaches = (tree: SourceTree): readonly string[] => [
  ...checks.importBreaches(tree),
  ...checks.cycleBreaches(tree),
  ...checks.folderCycleBreaches(tree),
  ...checks.ambientBreaches(tree),
  ...checks.styleBreaches(tree, {}),
  ...checks.textBreaches(tree),
];

test('a tree that keeps to the rules has no breach', () => {
  assert.deepEqual(allBreaches(treeWith({})), []);
});

const breaches: readonly (readonly [
  name: string,
  files: Readonly<Record<string, string>>,
  expected: RegExp,
])[] = [
  [
    'an import against the table',
    { 'log/bad.ts': "import { a } from '../channels/index.ts';\n" },
    /log may not import channels/,
  ],
  [
    'a type import against the table',
    { 'log/bad.ts': "import type { A } from '../channels/index.ts';\n" },
    /log may not import channels/,
  ],
  [
    'an export from another folder',
    { 'log/bad.ts': "export * from '../channels/index.ts';\n" },
    /log may not import channels/,
  ],
  [
    'a dynamic import against the table',
    { 'log/bad.ts': "const a = await import('../channels/index.ts');\n" },
    /log may not import channels/,
  ],
  [
    'an import over several lines',
    { 'log/bad.ts': "import {\n  a,\n  b,\n} from '../channels/index.ts';\n" },
    /log may not import channels/,
  ],
  [
    'an import that is known only at run time',
    { 'log/bad.ts': 'const a = await import(name);\n' },
    /known only at run time/,
  ],
  [
    'an import of what is not there',
    { 'log/bad.ts': "import { a } from './gone.ts';\n" },
    /which is not there/,
  ],
  [
    'a folder entered by the back',
    { 'channels/bad.ts': "import { a } from '../log/inside.ts';\n", 'log/inside.ts': '\n' },
    /enters log by inside\.ts/,
  ],
  [
    'options read by others than config',
    { 'channels/bad.ts': "import { a } from '../log/options.ts';\n" },
    /enters log by options\.ts/,
  ],
  [
    'an edge that imports another',
    { 'edges/sse/bad.ts': "import { poll } from '../poll/index.ts';\n" },
    /edges\/sse may not import edges\/poll/,
  ],
  [
    'main loaded by another command',
    { 'cli/commands/list.ts': "const a = import('../../main.ts');\n" },
    /only start loads the server/,
  ],
  [
    'a folder that is not in the table',
    { 'extras/index.ts': 'export const a = 1;\n' },
    /extras is not in the table/,
  ],
  [
    'files in a circle',
    { 'log/a.ts': "import { b } from './b.ts';\n", 'log/b.ts': "import { a } from './a.ts';\n" },
    /imports itself by way of log\/b\.ts/,
  ],
  [
    'folders in a circle, be it of types',
    { 'log/bad.ts': "import type { A } from '../channels/port.ts';\n", 'channels/port.ts': '\n' },
    /^channels: imports itself by way of other folders/m,
  ],
  [
    'a server outside the listeners',
    { 'log/bad.ts': "import { createServer } from 'node:http';\n" },
    /only listeners and workers and gateway may/,
  ],
  ['the clock', { 'log/bad.ts': 'const a = Date.now();\n' }, /reaches for the clock/],
  ['the clock as a date', { 'log/bad.ts': 'const a = new Date();\n' }, /reaches for the clock/],
  ['a timer', { 'log/bad.ts': 'setTimeout(() => {}, 5);\n' }, /reaches for a timer/],
  [
    'a timer by another door',
    { 'log/bad.ts': "import { setTimeout as wait } from 'node:timers/promises';\n" },
    /reaches for a timer/,
  ],
  ['randomness', { 'log/bad.ts': 'const a = Math.random();\n' }, /reaches for randomness/],
  ['a long file', { 'log/bad.ts': '\n'.repeat(LINES_MAX + 1) }, new RegExp(`has ${LINES_MAX + 1} lines`)],
  ['a name that says nothing', { 'log/utils.ts': '\n' }, /the name utils\.ts does not say/],
  ['a folder whose name says nothing', { 'log/helpers/text.ts': '\n' }, /the name helpers does not say/],
  [
    'a boolean parameter',
    { 'log/bad.ts': 'function a(name: string, deep: boolean): void {}\n' },
    /has a boolean parameter/,
  ],
  ['work left undone', { 'log/bad.ts': `// ${'TO'}${'DO'}: later\n` }, /leaves work/],
  [
    'a path of one machine',
    { 'log/bad.ts': `const a = '${'/ho'}${'me/'}somebody';\n` },
    /is a path of one machine/,
  ],
];

for (const [name, files, expected] of breaches) {
  test(`${name} is a breach`, () => {
    assert.match(allBreaches(treeWith(files)).join('\n'), expected);
  });
}

test('an excuse for a long file lapses when the file is short again or gone', () => {
  const excuses = { 'log/index.ts': 'it was long', 'log/gone.ts': 'it was there' };
  const found = checks.styleBreaches(treeWith({}), excuses).join('\n');
  assert.match(found, /log\/index\.ts: needs no excuse/);
  assert.match(found, /log\/gone\.ts: is excused for its length and is not there/);
});

test('imports in comments do not count', () => {
  const source =
    "// import { a } from '../a.ts';\n/*\nimport { b } from '../b.ts';\nimport('../c.ts')\n*/\nconst text = 'http://a'; // import('../d.ts')\n";
  assert.deepEqual(importsOf(source), []);
});
