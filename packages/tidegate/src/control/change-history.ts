import { TidegateError } from '../kernel/index.ts';
import type { AppliedChangeSet } from './port.ts';

/** What is kept in memory for those who watch: so many change sets, of at most so many bytes as they were stored. */
const CHANGE_SETS_MAX = 1000;
const BYTES_MAX = 4 * 1024 * 1024;

interface Entry {
  readonly applied: AppliedChangeSet;
  readonly bytes: number;
}

/** The newest change sets that took effect. */
export class ChangeHistory {
  #from: number;
  #entries: Entry[] = [];
  #bytes = 0;

  /** @param from the position from which on nothing is missing */
  constructor(from: number) {
    this.#from = from;
  }

  /** @param bytes what its record takes */
  add(applied: AppliedChangeSet, bytes: number): void {
    this.#entries.push({ applied, bytes });
    this.#bytes += bytes;
    while (this.#entries.length > CHANGE_SETS_MAX || this.#bytes > BYTES_MAX) {
      const dropped = this.#entries.shift()!;
      this.#bytes -= dropped.bytes;
      this.#from = dropped.applied.position;
    }
  }

  /**
   * What took effect after `position`, in order. `end` is the position now.
   * @throws TidegateError resource_history_gone
   */
  since(position: number, end: number): readonly AppliedChangeSet[] {
    if (position < this.#from || position > end) {
      const known = `${this.#from} to ${end}`;
      throw new TidegateError('resource_history_gone', `The position is ${position}; ${known} are known.`);
    }
    return this.#entries.flatMap(({ applied }) => (applied.position > position ? [applied] : []));
  }
}
