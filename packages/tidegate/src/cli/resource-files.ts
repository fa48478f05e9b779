import type { Dirent } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { TidegateError } from '../kernel/index.ts';
import type { RequestedResource } from './resource.ts';
import type { Terminal } from './terminal.ts';

/** What a folder is searched for. */
const FILE_NAME = /\.(?:ya?ml|json)$/i;
const FILES_MAX = 10_000;

/** The option of commands that are about what files name. */
export const FILE_OPTION = {
  file: {
    kind: 'text',
    value: 'PATH',
    description: 'A file, a folder with .yaml, .yml and .json files, or -',
    short: 'f',
  },
} as const;

const refuse = (detail: string): never => {
  throw new TidegateError('resource_invalid', detail);
};

function unreadable(path: string, error: unknown): TidegateError {
  const code = String((error as NodeJS.ErrnoException).code);
  const reason = code === 'ENOENT' ? 'there is no such file or folder' : code;
  return new TidegateError('arguments_invalid', `${path} cannot be read: ${reason}`, { cause: error });
}

/** The files below a folder, by their paths. */
async function filesBelow(folder: string, path: string): Promise<readonly string[]> {
  const entries: Dirent[] = await readdir(folder, { withFileTypes: true, recursive: true });
  const files = entries
    .filter((entry) => entry.isFile() && FILE_NAME.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  if (files.length === 0) refuse(`${path} has no .yaml, .yml or .json files`);
  if (files.length > FILES_MAX) refuse(`${path} has ${files.length} files; at most ${FILES_MAX} are read`);
  return files;
}

const isMembers = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The resources of one value: itself, the items of a list, or those of `{"items":[…]}`, as `tidegate get --json` prints. */
function resourcesOf(value: unknown, place: string): readonly RequestedResource[] {
  if (Array.isArray(value)) return value.flatMap((item: unknown) => resourcesOf(item, place));
  if (!isMembers(value)) return refuse(`${place}: a resource is a mapping with kind, name and spec`);
  if (Array.isArray(value.items)) return resourcesOf(value.items, place);
  const { kind, name, spec, version } = value;
  if (typeof kind !== 'string' || typeof name !== 'string')
    return refuse(`${place}: a resource needs kind and name, both text`);
  const allowed = ['kind', 'name', 'spec', 'version', 'source', 'status'];
  const unknown = Object.keys(value).find((member) => !allowed.includes(member));
  if (unknown !== undefined)
    return refuse(`${place}: ${JSON.stringify(unknown)} is none of kind, name, spec, version`);
  if (version !== undefined && typeof version !== 'number')
    return refuse(`${place}: version is not a number`);
  return [
    { kind, name, ...(spec === undefined ? {} : { spec }), ...(version === undefined ? {} : { version }) },
  ];
}

async function parseResources(text: string, path: string): Promise<readonly RequestedResource[]> {
  const { LineCounter, parseAllDocuments } = await import('yaml');
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, stringKeys: true });
  if ('empty' in documents) return [];
  return documents.flatMap((document) => {
    const [error] = document.errors;
    if (error !== undefined) {
      const { line, col } = lines.linePos(error.pos[0]);
      return refuse(`${path}:${line}:${col}: ${error.message}`);
    }
    const value: unknown = document.toJS({ maxAliasCount: 100 });
    if (value === null) return [];
    const { line } = lines.linePos(document.contents?.range?.[0] ?? 0);
    return resourcesOf(value, `${path}:${Math.max(line, 1)}`);
  });
}

async function readInput({ input }: Terminal): Promise<string> {
  let text = '';
  for await (const part of input) text += String(part);
  return text;
}

/** The resources that `--file` names, which must be given. @throws TidegateError arguments_invalid, resource_invalid with the place */
export async function readRequested(
  { file }: { readonly file: string | undefined },
  terminal: Terminal,
): Promise<readonly RequestedResource[]> {
  if (file === undefined) throw new TidegateError('arguments_invalid', '--file PATH is missing');
  return readResources(file, terminal);
}

/**
 * The resources of a file, of all files below a folder, or of the standard input (`-`): YAML or JSON, with any number of documents.
 * @throws TidegateError arguments_invalid, resource_invalid with the place
 */
export async function readResources(path: string, terminal: Terminal): Promise<readonly RequestedResource[]> {
  const found: RequestedResource[] = [];
  if (path === '-') {
    found.push(...(await parseResources(await readInput(terminal), 'standard input')));
  } else {
    const full = resolve(terminal.workingFolder, path);
    try {
      const files = (await stat(full)).isDirectory() ? await filesBelow(full, path) : [full];
      for (const file of files) {
        const shown = file === full ? path : join(path, file.slice(full.length + 1));
        found.push(...(await parseResources(await readFile(file, 'utf8'), shown)));
      }
    } catch (error) {
      throw error instanceof TidegateError ? error : unreadable(path, error);
    }
  }
  return found.length === 0
    ? refuse(`${path === '-' ? 'standard input' : path} has no resources in it`)
    : found;
}
