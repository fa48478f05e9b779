import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ConfigProblem,
  type Environment,
  loadConfig,
  type ResolvedConfig,
} from '../../src/config/index.ts';

/** Calls `use` with the path of a file that holds `text`. */
export async function withFile<Result>(
  text: string | Uint8Array,
  use: (file: string) => Promise<Result>,
): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'tidegate-test-'));
  try {
    const file = join(folder, 'tidegate.yaml');
    await writeFile(file, text);
    return await use(file);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const load = (text: string, environment: Environment) =>
  withFile(text, (file) => loadConfig({ file, overrides: {}, environment, workingFolder: '.' }));

/** The problems of a config file with this text. */
export async function problemsOf(
  text: string,
  environment: Environment = {},
): Promise<readonly ConfigProblem[]> {
  const loaded = await load(text, environment);
  return loaded.kind === 'problems' ? loaded.problems : [];
}

/** The config that this text gives. */
export async function configOf(text: string, environment: Environment = {}): Promise<ResolvedConfig> {
  const loaded = await load(text, environment);
  if (loaded.kind === 'problems') throw new Error(JSON.stringify(loaded.problems));
  return loaded.config;
}
