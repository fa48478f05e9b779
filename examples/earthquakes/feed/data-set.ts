import { readFile } from 'node:fs/promises';
import { findPackageJSON } from 'node:module';
import { dirname, join } from 'node:path';

const manifest = findPackageJSON('vega-datasets', import.meta.url);
if (manifest === undefined) throw new Error('vega-datasets is not installed: run npm install');
const FOLDER = join(dirname(manifest), 'data');

/** The text of one file of npm's `vega-datasets`. */
export async function readDataSet(file: string): Promise<string> {
  return readFile(join(FOLDER, file), 'utf8');
}

/**
 * The rows of a data set in CSV, each by the names of the first line. Takes what these data sets have: no line breaks
 * in values; values with commas are quoted.
 */
export async function readCsv(file: string): Promise<readonly Readonly<Record<string, string>>[]> {
  const [header, ...lines] = (await readDataSet(file)).trim().split(/\r?\n/);
  const names = splitRow(header);
  return lines.map((line) => {
    const values = splitRow(line);
    return Object.fromEntries(names.map((name, index) => [name, values[index] ?? '']));
  });
}

function splitRow(line: string): readonly string[] {
  const values = line.match(/(?<=^|,)("(?:[^"]|"")*"|[^,]*)/g) ?? [];
  return values.map((value) => (value.startsWith('"') ? value.slice(1, -1).replaceAll('""', '"') : value));
}
