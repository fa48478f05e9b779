import { hash } from 'node:crypto';
import type { Clock } from '../../kernel/index.ts';

/**
 * What was not worth waiting for the last time: keys whose response could not be shared. Those who ask for one of them go to the origin at once
 * instead of waiting for each other. A mark ends by itself, since responses change. Keys are as long as clients make them, so their hashes are
 * kept.
 */
export class UncacheableMarks {
  readonly #clock: Clock;
  readonly #marksMax: number;
  readonly #markMs: number;
  /** Until when, by the hash of the key; the one that was marked first is at the front. */
  readonly #marks = new Map<string, number>();

  constructor(clock: Clock, marksMax: number, markMs: number) {
    this.#clock = clock;
    this.#marksMax = marksMax;
    this.#markMs = markMs;
  }

  has(key: string): boolean {
    if (this.#marks.size === 0) return false;
    const mark = markOf(key);
    const untilMs = this.#marks.get(mark);
    if (untilMs === undefined) return false;
    if (this.#clock.monotonicMs() < untilMs) return true;
    this.#marks.delete(mark);
    return false;
  }

  add(key: string): void {
    const mark = markOf(key);
    this.#marks.delete(mark);
    this.#marks.set(mark, this.#clock.monotonicMs() + this.#markMs);
    if (this.#marks.size <= this.#marksMax) return;
    const [first] = this.#marks.keys();
    this.#marks.delete(first);
  }

  delete(key: string): void {
    if (this.#marks.size > 0) this.#marks.delete(markOf(key));
  }
}

const markOf = (key: string): string => hash('sha256', key, 'base64');
