import type { Deadlines, Expiring } from '../../kernel/index.ts';

/**
 * The times at which one connection is to do something, by name. However many there are, the connection has one place in the common round of
 * deadlines, so that none of them needs a timer.
 */
export class Alarms<Name extends string> implements Expiring {
  deadlineMs = Number.POSITIVE_INFINITY;
  readonly #deadlines: Deadlines;
  readonly #ring: (name: Name) => void;
  readonly #times = new Map<Name, number>();

  /** @param ring hears of each alarm once, up to two sweeps late */
  constructor(deadlines: Deadlines, ring: (name: Name) => void) {
    this.#deadlines = deadlines;
    this.#ring = ring;
  }

  /** Puts an alarm in place of the one of the same name. */
  set(name: Name, delayMs: number): void {
    if (this.#times.size === 0) this.#deadlines.add(this);
    this.#times.set(name, this.#deadlines.after(delayMs));
    this.#expectNext();
  }

  clear(name: Name): void {
    if (!this.#times.delete(name)) return;
    if (this.#times.size === 0) this.#deadlines.delete(this);
    this.#expectNext();
  }

  clearAll(): void {
    this.#times.clear();
    this.#deadlines.delete(this);
    this.#expectNext();
  }

  expired(): void {
    const { nowMs } = this.#deadlines;
    for (const [name, timeMs] of [...this.#times]) {
      // One that rings may clear or set others.
      if (timeMs > nowMs || this.#times.get(name) !== timeMs) continue;
      this.clear(name);
      this.#ring(name);
    }
    this.#expectNext();
  }

  #expectNext(): void {
    let nextMs = Number.POSITIVE_INFINITY;
    for (const timeMs of this.#times.values()) nextMs = Math.min(nextMs, timeMs);
    this.deadlineMs = nextMs;
  }
}
