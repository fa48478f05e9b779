import { readdir, readFile } from 'node:fs/promises';
import { join, posix, relative, sep } from 'node:path';

/** Files by their path below the root, with slashes: what the checks look at, so that a test can make one up. */
export type SourceTree = ReadonlyMap<string, string>;

export interface Import {
  /** As written. */
  readonly specifier: string;
  /** Only types, which leave no trace at run time. */
  readonly kind: 'value' | 'type';
}

/** Reads all files below `root` for which `wanted` is true; folders of dependencies are never entered. */
export async function readTree(root: string, wanted: (path: string) => boolean): Promise<SourceTree> {
  const tree = new Map<string, string>();
  const visit = async (folder: string): Promise<void> => {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const full = join(folder, entry.name);
      const path = relative(root, full).split(sep).join(posix.sep);
      if (entry.isDirectory()) {
        if (entry.name !== 'node_modules' && entry.name !== '.git') await visit(full);
      } else if (entry.isFile() && wanted(path)) {
        tree.set(path, await readFile(full, 'utf8'));
      }
    }
  };
  await visit(root);
  return tree;
}

/** The source with comments replaced by spaces; strings stay. Line breaks stay too. */
export function withoutComments(source: string): string {
  const tokens = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g;
  return source.replace(tokens, (token) => (token.startsWith('/') ? token.replace(/[^\n]/g, ' ') : token));
}

const STATIC = /^\s*(import|export)\s+(type\s)?[^;'"]*?\sfrom\s+['"]([^'"]+)['"]/gm;
const BARE = /^\s*import\s+['"]([^'"]+)['"]/gm;
const DYNAMIC = /\b(?:import|require)\(\s*(?:['"]([^'"]+)['"])?/g;

/** Every import, static and dynamic. A dynamic import of something that is not a plain string has the specifier `?`. */
export function importsOf(source: string): readonly Import[] {
  const text = withoutComments(source);
  return [
    ...[...text.matchAll(STATIC)].map(([, , type, specifier]) => ({
      specifier,
      kind: type === undefined ? ('value' as const) : ('type' as const),
    })),
    ...[...text.matchAll(BARE)].map(([, specifier]) => ({ specifier, kind: 'value' as const })),
    ...[...text.matchAll(DYNAMIC)].map(([, specifier]) => ({
      specifier: specifier ?? '?',
      kind: 'value' as const,
    })),
  ];
}

/** The path below the root that a relative specifier means. */
export function resolveImport(from: string, specifier: string): string {
  return posix.normalize(posix.join(posix.dirname(from), specifier));
}
