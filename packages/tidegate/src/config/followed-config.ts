import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Clock, FileWatch } from '../kernel/index.ts';
import { type ConfigRequest, type LoadedConfig, loadConfig, resolveConfig } from './load.ts';
import type { ResolvedConfig } from './resolve.ts';

/** A change is taken up after twice that at most: it is seen, and then it has to stay. */
const LOOK_MS = 500;

/**
 * Up to so many bytes a file is parsed in place, which takes about 1 ms a KiB; and 5,000 routes a second, in which nobody would be served. A thread
 * costs a tenth of a second of another core and some memory, also for a file of ten lines.
 */
export const PARSED_IN_PLACE_BYTES_MAX = 8 * 1024;

/** The config of a server, and how it is read again while the server runs. */
export interface FollowedConfig {
  readonly config: ResolvedConfig;
  /** Tells when the file has changed since it was first read. Null without a file. */
  readonly watch: FileWatch | null;
  /** Reads it anew, with the same options and environment. @throws TidegateError config_unreadable */
  reread(): Promise<LoadedConfig>;
}

/**
 * The config to start with, and to go on with.
 * @throws TidegateError config_unreadable, config_invalid (the detail lists every problem)
 */
export async function followConfig(request: ConfigRequest, clock: Clock): Promise<FollowedConfig> {
  const { file, workingFolder } = request;
  if (file === null)
    return { config: await resolveConfig(request), watch: null, reread: () => loadConfig(request) };
  const path = resolve(workingFolder, file);
  const watch = await FileWatch.open({ paths: [path], clock, lookMs: LOOK_MS, tell: 'once settled' });
  return {
    config: await resolveConfig(request),
    watch,
    async reread() {
      await watch.aboutToRead();
      if (!(await isLarge(path))) return loadConfig(request);
      const { loadConfigInThread } = await import('./load-thread.ts');
      return loadConfigInThread(request);
    },
  };
}

/** What cannot be looked at is not large: reading it says what is wrong. */
async function isLarge(path: string): Promise<boolean> {
  try {
    return (await stat(path)).size > PARSED_IN_PLACE_BYTES_MAX;
  } catch {
    return false;
  }
}
