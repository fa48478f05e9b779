import type { Difference } from './resource.ts';
import { type Terminal, write } from './terminal.ts';

const isMembers = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const shown = (value: unknown): string => (value === undefined ? 'nothing' : JSON.stringify(value));

/** The members that differ, each on a line: `retention.ageSeconds: 60 -> 120`. */
function memberLines(before: unknown, after: unknown, path: string): readonly string[] {
  if (isMembers(before) && isMembers(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
    return names.flatMap((name) =>
      memberLines(before[name], after[name], path === '' ? name : `${path}.${name}`),
    );
  }
  return JSON.stringify(before) === JSON.stringify(after)
    ? []
    : [`    ${path}: ${shown(before)} -> ${shown(after)}`];
}

const SIGNS = { create: '+', update: '~', delete: '-', unchanged: ' ' } as const;

/** What changed, or would: a line for each resource, and below it a line for each member that differs. */
export function formatDifferences(differences: readonly Difference[]): readonly string[] {
  return differences
    .filter(({ action }) => action !== 'unchanged')
    .flatMap(({ kind, name, action, before, after }) => [
      `${SIGNS[action]} ${kind} ${name}`,
      ...(action === 'update' ? memberLines(before, after, '') : []),
    ]);
}

/** How many of each: `1 created, 2 updated, 0 deleted, 3 unchanged`. */
export function countDifferences(differences: readonly Difference[]): string {
  const count = (action: Difference['action']): number =>
    differences.filter((difference) => difference.action === action).length;
  return `${count('create')} created, ${count('update')} updated, ${count('delete')} deleted, ${count('unchanged')} unchanged`;
}

/** Prints them for people, or as one JSON array. */
export async function printDifferences(
  differences: readonly Difference[],
  form: 'text' | 'json',
  { output }: Terminal,
): Promise<void> {
  const lines = form === 'json' ? [JSON.stringify(differences)] : formatDifferences(differences);
  await write(output, lines.map((line) => `${line}\n`).join(''));
}
