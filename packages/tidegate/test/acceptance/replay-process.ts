import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { FeedName } from '../../../../examples/earthquakes/feed/index.ts';

const PROGRAM = fileURLToPath(new URL('../../../../examples/earthquakes/replay.ts', import.meta.url));

export interface ReplayProcessOptions {
  readonly url: string;
  readonly feeds: readonly FeedName[];
  /** How many seconds of the recorded week pass in one. */
  readonly speed: number | 'max';
  /** Names the run: one repeated under the same name is not stored again. */
  readonly run: string;
}

export interface ReplayProcess {
  /** Resolves with what it wrote when it has published everything; rejects if it fails. */
  readonly done: Promise<string>;
  kill(): void;
}

/** The example's publisher, as its users start it. */
export function startReplay({ url, feeds, speed, run }: ReplayProcessOptions): ReplayProcess {
  const args = ['--url', url, '--feeds', feeds.join(','), '--speed', String(speed), '--run', run];
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const kill = (): void => {
    child.kill('SIGKILL');
  };
  process.once('exit', kill);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const done = once(child, 'close').then(([code]) => {
    process.removeListener('exit', kill);
    if (code !== 0) throw new Error(`the replay ended with ${code}:\n${output}`);
    return output;
  });
  return { done, kill };
}
