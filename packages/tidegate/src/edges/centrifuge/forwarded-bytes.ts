import type { Buffer } from 'node:buffer';
import { TidegateError } from '../../kernel/index.ts';
import type { EmulationOutcome } from './processes.ts';

/** Counts the commands that are on their way to other processes, and refuses what would be too many bytes of them. */
export class ForwardedBytes {
  readonly #bytesMax: number;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /**
   * Calls `forward` with what is to be called with the outcome, unless there is no room: then `done` is called with worker_overloaded.
   * What exceeds the limit alone is forwarded when nothing else is on its way.
   */
  send(
    commands: Buffer,
    done: (outcome: EmulationOutcome) => void,
    forward: (settle: (outcome: EmulationOutcome) => void) => void,
  ): void {
    const { length } = commands;
    if (this.#bytes > 0 && this.#bytes + length > this.#bytesMax) {
      done(new TidegateError('worker_overloaded'));
      return;
    }
    this.#bytes += length;
    forward((outcome) => {
      this.#bytes -= length;
      done(outcome);
    });
  }
}
