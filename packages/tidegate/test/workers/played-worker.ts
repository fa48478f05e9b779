import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { type Duplex, duplexPair } from 'node:stream';
import { systemClock } from '../../src/kernel/index.ts';
import { answerLife, StreamLine } from '../../src/workers/index.ts';

/** A worker that a test plays, without a process: it does what it is asked once the test says so. */
export class PlayedWorker extends EventEmitter {
  /** Undefined for one of which no process could be made. */
  readonly pid: number | undefined;
  readonly stdio: readonly (Duplex | null)[];
  readonly #asked: { readonly about: string; readonly answer: (answer: unknown) => void }[] = [];
  #hasEnded = false;

  constructor(pid: number | undefined) {
    super();
    this.pid = pid;
    const [owners, own] = duplexPair();
    this.stdio = [null, null, null, owners];
    const line = new StreamLine({
      stream: own,
      peer: 0,
      clock: systemClock,
      sends: 'soon',
      unsentBytesMax: 1 << 20,
      failed(error) {
        throw error;
      },
    });
    const wait = ({ about }: { readonly about: string }): Promise<unknown> =>
      new Promise((answer) => this.#asked.push({ about, answer }));
    answerLife(line, { serve: wait, pulse: wait, figures: wait, reload: wait, drain: wait });
  }

  /** As the pool sees it. */
  get process(): ChildProcess {
    return this as unknown as ChildProcess;
  }

  /** Answers the oldest question about something, and waits for one if there is none. */
  async answer(about: string, answer: unknown = null): Promise<void> {
    for (;;) {
      const index = this.#asked.findIndex((question) => question.about === about);
      if (index >= 0) {
        this.#asked.splice(index, 1)[0].answer(answer);
        return;
      }
      await new Promise(setImmediate);
    }
  }

  kill(): boolean {
    if (!this.#hasEnded) setImmediate(() => this.emit('exit', null, 'SIGKILL'));
    this.#hasEnded = true;
    return true;
  }
}
