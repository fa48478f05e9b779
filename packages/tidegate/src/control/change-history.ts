import { TidegateError } from '../kernel/index.ts';
import type { AppliedChangeSet } from './port.ts';

/** Change sets kept in memory for those who watch. */
const CHANGE_SETS_MAX = 1000;

/** The newest change sets that took effect. */
export class ChangeHistory {
  #from: number;
  #changeSets: AppliedChangeSet[] = [];

  /** @param from the position from which on nothing is missing */
  constructor(from: number) {
    this.#from = from;
  }

  add(applied: AppliedChangeSet): void {
    this.#changeSets.push(applied);
    if (this.#changeSets.length < CHANGE_SETS_MAX * 2) return;
    const dropped = this.#changeSets.splice(0, CHANGE_SETS_MAX);
    this.#from = dropped[dropped.length - 1].position;
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
    return this.#changeSets.filter((applied) => applied.position > position);
  }
}
