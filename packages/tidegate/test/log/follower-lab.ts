import { type ChildProcess, spawn } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { lineJson, readLineJson, systemClock } from '../../src/kernel/index.ts';
import type { Log } from '../../src/log/index.ts';
import { StreamLine } from '../../src/workers/index.ts';
import type { FollowerQuestion, FollowerReading } from './follower-process.ts';

const PROGRAM = fileURLToPath(new URL('./follower-process.ts', import.meta.url));

/** Those that were started and not killed. */
const followers = new Set<Follower>();

/** To be called after each test. */
export function killFollowers(): void {
  for (const follower of followers) follower.kill();
  followers.clear();
}

/** Another process that follows the log. */
export class Follower {
  readonly #child: ChildProcess;
  readonly #line: StreamLine;

  private constructor(unsentBytesMax: number) {
    this.#child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', PROGRAM], {
      stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
    });
    this.#line = new StreamLine({
      stream: this.#child.stdio[3] as Duplex,
      peer: 1,
      clock: systemClock,
      sends: 'soon',
      unsentBytesMax,
      failed(error) {
        throw error;
      },
    });
  }

  /** Resolves once it follows. */
  static async start(log: Log, folder: string, unsentBytesMax = 1 << 26): Promise<Follower> {
    const follower = new Follower(unsentBytesMax);
    followers.add(follower);
    log.lead(follower.#line);
    await follower.ask({ about: 'follow', folder });
    return follower;
  }

  /** Answered after all that the log has told the follower by now. */
  ask<Answer>(question: FollowerQuestion): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#line.ask('life', lineJson(question), (error, answer) => {
        if (error === null) resolve(readLineJson<Answer>(answer));
        else reject(error);
      });
    });
  }

  read(
    topic: string,
    partition = 0,
    options: { readonly key?: string; readonly from?: number } = {},
  ): Promise<FollowerReading> {
    return this.ask({ about: 'read', topic, partition, ...options });
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}
