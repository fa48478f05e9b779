import { posix } from 'node:path';
import * as rules from './rules.ts';
import { importsOf, resolveImport, type SourceTree, withoutComments } from './source-tree.ts';

/** What breaks a rule: the file, and what is wrong with it in words. */
export type Breach = `${string}: ${string}`;

/** The folder that a file below src/ belongs to: `log`, `edges/sse`, `edges` for what lies directly in it, `main.ts`. */
export function folderOf(path: string): string {
  const [first, second, ...rest] = path.split('/');
  if (second === undefined) return first;
  return rules.PARENTS.includes(first) && rest.length > 0 ? `${first}/${second}` : first;
}

/** The row of the table that a folder falls under. */
const rowOf = (folder: string): string => folder.replace(/\/.*$/, '/*');

function isDoor(from: string, to: string, target: string): boolean {
  const file = posix.relative(target, to);
  if (to === target) return true;
  if (rules.OPTIONS_READERS.includes(folderOf(from)) && file === rules.OPTIONS_DOOR) return true;
  return rules.DOORS.some((door) => door === file);
}

/** Imports of other folders: allowed by the table, and through a door. */
export function importBreaches(tree: SourceTree): readonly Breach[] {
  const breaches: Breach[] = [];
  for (const [from, source] of tree) {
    const folder = folderOf(from);
    const rule = rules.FOLDERS[rowOf(folder)];
    if (rule === undefined) {
      breaches.push(`${from}: the folder ${folder} is not in the table of rules.ts`);
      continue;
    }
    for (const { specifier } of importsOf(source)) {
      if (specifier === '?') breaches.push(`${from}: imports what is known only at run time`);
      if (!specifier.startsWith('.')) continue;
      const to = resolveImport(from, specifier);
      const target = folderOf(to);
      if (!tree.has(to)) breaches.push(`${from}: imports ${specifier}, which is not there`);
      if (target === folder) continue;
      const allowed =
        rule.mayImport.includes(rowOf(target)) && !(folder.includes('/') && rowOf(folder) === rowOf(target));
      if (!allowed) breaches.push(`${from}: ${folder} may not import ${target}, because ${rule.reason}`);
      // What lies directly in edges/ is shared by the edges; it has no door of its own.
      else if (!isDoor(from, to, target) && target !== 'edges') {
        breaches.push(
          `${from}: enters ${target} by ${posix.relative(target, to)}; its doors are ${rules.DOORS.join(' and ')}`,
        );
      }
      for (const only of rules.ONLY_FROM) {
        if (to === only.to && from !== only.from)
          breaches.push(`${from}: may not import ${to}, because ${only.reason}`);
      }
    }
  }
  return breaches;
}

/** Circles of files that import each other's values. */
export function cycleBreaches(tree: SourceTree): readonly Breach[] {
  const breaches: Breach[] = [];
  const state = new Map<string, 'open' | 'done'>();
  const trail: string[] = [];
  const visit = (path: string): void => {
    if (state.get(path) === 'done') return;
    if (state.get(path) === 'open') {
      breaches.push(`${path}: imports itself by way of ${trail.slice(trail.indexOf(path) + 1).join(', ')}`);
      return;
    }
    state.set(path, 'open');
    trail.push(path);
    for (const { specifier, kind } of importsOf(tree.get(path) ?? '')) {
      const to = specifier.startsWith('.') ? resolveImport(path, specifier) : '';
      if (kind === 'value' && tree.has(to)) visit(to);
    }
    trail.pop();
    state.set(path, 'done');
  };
  for (const path of tree.keys()) visit(path);
  return breaches;
}

/** Circles of folders, types counted: two folders that need each other are one. */
export function folderCycleBreaches(tree: SourceTree): readonly Breach[] {
  const edges = new Map<string, Set<string>>();
  for (const [from, source] of tree) {
    const folder = folderOf(from);
    const targets = edges.get(folder) ?? new Set();
    edges.set(folder, targets);
    for (const { specifier } of importsOf(source)) {
      if (specifier.startsWith('.')) targets.add(folderOf(resolveImport(from, specifier)));
    }
    targets.delete(folder);
    // What the edges share lies in edges/ beside the router that puts them together: siblings by place, not by layer.
    if (folder.startsWith('edges/')) targets.delete('edges');
  }
  const reaches = (from: string, to: string, seen: Set<string>): boolean => {
    for (const next of edges.get(from) ?? []) {
      if (next === to) return true;
      if (!seen.has(next) && reaches(next, to, seen.add(next))) return true;
    }
    return false;
  };
  return [...edges.keys()]
    .filter((folder) => reaches(folder, folder, new Set()))
    .map((folder): Breach => `${folder}: imports itself by way of other folders`);
}

/** Sockets, clocks, timers and randomness outside the files that own them. */
export function ambientBreaches(tree: SourceTree): readonly Breach[] {
  const breaches: Breach[] = [];
  for (const [path, source] of tree) {
    const network = importsOf(source).find(({ specifier }) =>
      rules.NETWORK_MODULES.some((name) => specifier === name || specifier === `node:${name}`),
    );
    const mayUseNetwork =
      rules.NETWORK_FOLDERS.includes(folderOf(path)) || Object.hasOwn(rules.NETWORK_FILES, path);
    if (network !== undefined && !mayUseNetwork) {
      breaches.push(
        `${path}: uses ${network.specifier}, which only ${rules.NETWORK_FOLDERS.join(' and ')} may`,
      );
    }
    const text = withoutComments(source);
    for (const { pattern, what, files } of rules.AMBIENT) {
      if (pattern.test(text) && !files.includes(path))
        breaches.push(`${path}: reaches for ${what}, which ${files.join(', ')} owns`);
    }
  }
  return breaches;
}

/** Length, names and signatures. */
export function styleBreaches(
  tree: SourceTree,
  longFiles: Readonly<Record<string, string>> = rules.LONG_FILES,
): readonly Breach[] {
  const breaches: Breach[] = [];
  for (const [path, source] of tree) {
    const lines = source.split('\n').length - 1;
    const excuse = longFiles[path];
    if (lines > rules.LINES_MAX && excuse === undefined)
      breaches.push(`${path}: has ${lines} lines; at most ${rules.LINES_MAX}`);
    if (lines <= rules.LINES_MAX && excuse !== undefined)
      breaches.push(`${path}: needs no excuse for its length any more`);
    const banned = path.split('/').find((name) => rules.BANNED_NAMES.test(name.replace(/\..*$/, '')));
    if (banned !== undefined) breaches.push(`${path}: the name ${banned} does not say what is inside`);
    const parameter = rules.BOOLEAN_PARAMETER.exec(withoutComments(source));
    if (parameter !== null) breaches.push(`${path}: has a boolean parameter: ${parameter[0].trim()}`);
  }
  for (const path of Object.keys(longFiles)) {
    if (!tree.has(path)) breaches.push(`${path}: is excused for its length and is not there`);
  }
  return breaches;
}

/** Words that no file of the repository may hold. */
export function textBreaches(tree: SourceTree): readonly Breach[] {
  const breaches: Breach[] = [];
  for (const [path, source] of tree) {
    for (const { pattern, reason } of rules.BANNED_TEXT) {
      const found = pattern.exec(source);
      if (found !== null) breaches.push(`${path}: ${JSON.stringify(found[0].trim())} ${reason}`);
    }
  }
  return breaches;
}
