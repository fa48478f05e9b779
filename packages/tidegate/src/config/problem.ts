/** Where something stands in a file: lines and columns count from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** A key's way from the top of the file: names of mappings and indexes of lists. */
export type ConfigPath = readonly (string | number)[];

/** Something in a config that cannot stay as it is. */
export interface ConfigProblem extends Place {
  /** The file as it was named by the user. */
  readonly file: string;
  /** The path in the file, such as `topics.orders.partitions`; empty for the file as a whole. */
  readonly path: string;
  /** What is wrong, with the value; a sentence without a full stop. */
  readonly message: string;
  /** What would be right, as an instruction; a sentence. */
  readonly remedy: string;
}

const PLAIN_KEY = /^[A-Za-z0-9_-]+$/;

/** A path as people write it: `topics.orders.prefixes[0]`; names with other characters stand in quotes. */
export function formatPath(path: ConfigPath): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else text += (text === '' ? '' : '.') + (PLAIN_KEY.test(step) ? step : JSON.stringify(step));
  }
  return text;
}

/** A value on one line, cut short. */
export function formatValue(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`;
}

/** One problem in two lines, the first of which editors and terminals can turn into a link. */
export function formatProblem(problem: ConfigProblem): string {
  const where = `${problem.file}:${problem.line}:${problem.column}`;
  const what = problem.path === '' ? problem.message : `${problem.path}: ${problem.message}`;
  return `${where}: ${what}.\n    ${problem.remedy}`;
}

/** In the order of the file. */
export function byPlace(a: Place, b: Place): number {
  return a.line - b.line || a.column - b.column;
}
