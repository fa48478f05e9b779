import type { Clock } from '../kernel/index.ts';
import type { Member } from './member.ts';

/**
 * Leads subscribers that are behind back to live, one step each in turn: those that read the same region do so together, which
 * the log's and the audiences' caches reward, and nobody has to wait for somebody else's whole backlog. One event-loop turn
 * spends a bounded time on it, so that live delivery goes on.
 */
export class CatchUp {
  readonly #clock: Clock;
  readonly #turnMs: number;
  #queue: Member[] = [];
  #next: Member[] = [];

  constructor(clock: Clock, turnMs: number) {
    this.#clock = clock;
    this.#turnMs = turnMs;
  }

  add(member: Member): void {
    this.#next.push(member);
  }

  get isEmpty(): boolean {
    return this.#queue.length === 0 && this.#next.length === 0;
  }

  /** Takes steps until nobody wants one or the turn's time is used. */
  run(): void {
    const deadline = this.#clock.monotonicMs() + this.#turnMs;
    for (let steps = 0; !this.isEmpty; steps++) {
      if (this.#queue.length === 0) {
        // Taken from the back below, hence the reversal: first come, first served.
        this.#queue = this.#next.reverse();
        this.#next = [];
      }
      const member = this.#queue.pop() as Member;
      if (member.advance()) this.#next.push(member);
      // Reading the clock costs about as much as a short step.
      if ((steps & 7) === 7 && this.#clock.monotonicMs() >= deadline) return;
    }
  }
}
