import { isDeepStrictEqual } from 'node:util';
import type { ResolvedConfig } from './resolve.ts';

/** Members of a config that are mappings in the file, too. */
const SECTIONS = ['listen', 'access', 'limits', 'cors', 'websocket'] as const;

/** Members that are single keys in the file, with their names there. */
const KEYS = [
  ['tls', 'tls'],
  ['workers', 'workers'],
  ['dataFolder', 'data'],
  ['logLevel', 'logLevel'],
] as const;

/** The keys of the file whose values only a restart would put into effect: all that differ, but for those of resources. In the form `limits.routesMax`. */
export function restartKeys(running: ResolvedConfig, wanted: ResolvedConfig): readonly string[] {
  const sections = SECTIONS.flatMap((section) =>
    differing(running[section], wanted[section]).map((name) => `${section}.${name}`),
  );
  const keys = KEYS.filter(([member]) => !isDeepStrictEqual(running[member], wanted[member]));
  return [...keys.map(([, key]) => key), ...sections].sort();
}

function differing(before: object, after: object): readonly string[] {
  const [from, to] = [before, after] as readonly Readonly<Record<string, unknown>>[];
  const names = new Set([...Object.keys(from), ...Object.keys(to)]);
  return [...names].filter((name) => !isDeepStrictEqual(from[name], to[name]));
}
