import type { Buffer } from 'node:buffer';
import { type Clock, type Limits, type Line, lineJson, readLineJson } from '../../kernel/index.ts';
import type { GripProcess, GripProcesses, OtherReceivers, RefreshOutcome, RefreshTarget } from './port.ts';
import { type ProcessQuestion, READY, RECOVER } from './process-messages.ts';

export interface AllProcessesOptions {
  /** The process that this one is. */
  readonly own: GripProcess;
  readonly clock: Clock;
  readonly limits: Limits;
}

/**
 * Those whom GRIP holds, over all processes of a server, for the process that has the control ports: the owner of the log. What is asked of the workers is asked
 * of each, and whoever does not answer within `limits.workerAnswerTimeoutMs` has nobody.
 */
export class AllProcesses implements GripProcesses, OtherReceivers {
  readonly #own: GripProcess;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  /** Those that answer. */
  readonly #lines = new Set<Line>();

  constructor({ own, clock, limits }: AllProcessesOptions) {
    this.#own = own;
    this.#clock = clock;
    this.#timeoutMs = limits.workerAnswerTimeoutMs;
  }

  /**
   * Takes a worker in, whose end of the line is served by `serveProcess`. To be called when the line comes.
   * @param told takes what else the worker tells of this subject
   */
  serve(line: Line, told: (message: Buffer) => void = () => {}): void {
    line.onTold('grip', (message) => {
      if (message.equals(READY)) this.#lines.add(line);
      else told(message);
    });
    line.onClosed(() => this.#lines.delete(line));
  }

  count(channels: readonly string[], done: (counts: readonly number[]) => void): void {
    this.#ask<readonly number[]>({ ask: 'counts', channels }, (answers) =>
      done(channels.map((_, index) => answers.reduce((sum, counts) => sum + counts[index], 0))),
    );
  }

  connected(ids: readonly string[], done: (live: readonly string[]) => void): void {
    const own = this.#own.connected(ids);
    this.#ask<readonly string[]>({ ask: 'connected', ids }, (answers) => {
      const live = new Set([...own, ...answers.flat()]);
      done(ids.filter((id) => live.delete(id)));
    });
  }

  refresh(target: RefreshTarget, done: (outcome: RefreshOutcome) => void): void {
    const own = this.#own.refresh(target);
    this.#ask<RefreshOutcome>({ ask: 'refresh', target }, (answers) =>
      done([own, ...answers].includes('found') ? 'found' : 'not_found'),
    );
  }

  recover(): void {
    this.#own.recover();
    for (const line of this.#lines) line.tell('grip', RECOVER);
  }

  /** Asks all workers at once, and hands over what those answered that did in time. */
  #ask<Answer>(question: ProcessQuestion, done: (answers: readonly Answer[]) => void): void {
    const answers: Answer[] = [];
    if (this.#lines.size === 0) {
      done(answers);
      return;
    }
    const message = lineJson(question);
    let [waiting, isDone] = [this.#lines.size, false];
    const finish = (): void => {
      if (isDone) return;
      isDone = true;
      this.#clock.clearTimer(timer);
      done(answers);
    };
    const timer = this.#clock.setTimer(finish, this.#timeoutMs);
    for (const line of [...this.#lines]) {
      line.ask('grip', message, (error, answer) => {
        if (error === null && !isDone) answers.push(readLineJson<Answer>(answer));
        if (--waiting === 0) finish();
      });
    }
  }
}
