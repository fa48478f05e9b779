import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

/** Every benchmark, in the order in which docs/benchmarks.md has its tables. */
const BENCHMARKS = [
  'fanout',
  'latency',
  'idle',
  'log',
  'http',
  'publish',
  'access',
  'tls',
  'resume',
  'centrifuge',
  'proxy',
  'proxy-streams',
  'proxy-routes',
  'grip',
  'grip-delivery',
  'start',
] as const;

const page = join(import.meta.dirname, '..', 'docs', 'benchmarks.md');

/** Runs one benchmark and returns its table in Markdown, or null if it failed: half a table is none. */
async function run(name: string): Promise<string | null> {
  const program = join(import.meta.dirname, `${name}.ts`);
  const child = spawn(process.execPath, [program, '--markdown'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const table = await text(child.stdout);
  const code = await exit;
  if (code === 0) return table.trim();
  process.stderr.write(`${name} ended with ${code}, and its table stays as it was\n`);
  return null;
}

/** Puts a table between the two comments that mark its place in the page. */
function insert(name: string, table: string): void {
  const content = readFileSync(page, 'utf8');
  const begin = `<!-- begin ${name} -->`;
  const end = `<!-- end ${name} -->`;
  const from = content.indexOf(begin);
  const to = content.indexOf(end);
  if (from < 0 || to < from) throw new Error(`docs/benchmarks.md has no place for ${name}`);
  writeFileSync(page, `${content.slice(0, from)}${begin}\n\n${table}\n\n${content.slice(to)}`);
}

const chosen = process.argv.slice(2);
for (const name of chosen.length === 0 ? BENCHMARKS : chosen) {
  if (!existsSync(join(import.meta.dirname, `${name}.ts`))) {
    process.stderr.write(`there is no benchmark ${name}\n`);
    process.exitCode = 1;
    continue;
  }
  process.stderr.write(`== ${name}\n`);
  const table = await run(name);
  if (table === null) process.exitCode = 1;
  else insert(name, table);
}
