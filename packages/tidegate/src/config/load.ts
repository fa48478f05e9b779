import { open } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { resolveLimits, TidegateError } from '../kernel/index.ts';
import { findDisagreements } from './agreement.ts';
import type { Environment } from './interpolate.ts';
import { byPlace, type ConfigProblem, formatProblem } from './problem.ts';
import { type ConfigOverrides, type ResolvedConfig, resolveContent } from './resolve.ts';
import type { ConfigFile } from './schema.ts';

/** A config file beyond this is a mistake, such as the name of a log file. */
const FILE_BYTES_MAX = 4 * 1024 * 1024;

/** Where a config comes from. */
export interface ConfigRequest {
  /** The config file; null for the defaults. Relative to `workingFolder`. */
  readonly file: string | null;
  readonly overrides: ConfigOverrides;
  readonly environment: Environment;
  readonly workingFolder: string;
}

/** A config that is fit for use, or all that is wrong with the file, in its order. */
export type LoadedConfig =
  | { readonly kind: 'config'; readonly config: ResolvedConfig }
  | { readonly kind: 'problems'; readonly problems: readonly ConfigProblem[] };

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'this user may not read it',
  EISDIR: 'it is a folder',
};

/** @throws TidegateError config_unreadable */
async function readText(file: string, path: string): Promise<string> {
  try {
    const handle = await open(path);
    try {
      const { size } = await handle.stat();
      if (size > FILE_BYTES_MAX)
        throw new TidegateError(
          'config_unreadable',
          `${file} has ${size} bytes; at most ${FILE_BYTES_MAX} are read`,
        );
      return new TextDecoder('utf-8', { fatal: true }).decode(await handle.readFile());
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof TidegateError) throw error;
    if (error instanceof TypeError)
      throw new TidegateError('config_unreadable', `${file} is not UTF-8 text`, { cause: error });
    const code = String((error as NodeJS.ErrnoException).code);
    throw new TidegateError('config_unreadable', `${file}: ${REASONS[code] ?? code}`, { cause: error });
  }
}

async function readContent(
  request: ConfigRequest,
): Promise<{ readonly content: ConfigFile } | { readonly problems: readonly ConfigProblem[] }> {
  if (request.file === null) return { content: {} };
  const text = await readText(request.file, resolve(request.workingFolder, request.file));
  // Loaded only now: a server without config file starts without the YAML reader and the validator.
  const [{ parseSource }, { validateSource }] = await Promise.all([
    import('./source.ts'),
    import('./validate.ts'),
  ]);
  const source = parseSource(request.file, text, request.environment);
  const validated = validateSource(request.file, source);
  if ('problems' in validated) return validated;
  const limits = resolveLimits(validated.content.limits);
  const problems = findDisagreements(request.file, source, validated.content, limits);
  return problems.length > 0 ? { problems: [...problems].sort(byPlace) } : validated;
}

/**
 * Reads and checks a config file and fills in what it leaves out.
 * @throws TidegateError config_unreadable
 */
export async function loadConfig(request: ConfigRequest): Promise<LoadedConfig> {
  const read = await readContent(request);
  if ('problems' in read) return { kind: 'problems', problems: read.problems };
  const base = {
    working: request.workingFolder,
    config:
      request.file === null ? request.workingFolder : dirname(resolve(request.workingFolder, request.file)),
  };
  return { kind: 'config', config: resolveContent(read.content, request.overrides, base) };
}

/**
 * The config to start with.
 * @throws TidegateError config_unreadable, config_invalid (the detail lists every problem)
 */
export async function resolveConfig(request: ConfigRequest): Promise<ResolvedConfig> {
  const loaded = await loadConfig(request);
  if (loaded.kind === 'config') return loaded.config;
  throw new TidegateError('config_invalid', `\n${loaded.problems.map(formatProblem).join('\n')}`);
}
