import type { Clock } from '../kernel/index.ts';
import type { Member } from './member.ts';

/** After so many rounds at the latest, everybody has a turn, wherever they stand. */
const PATIENCE_ROUNDS = 64;

/**
 * What a turn that brought newcomers spends, as a share of another's. The event loop accepts one connection in each turn; with
 * long turns the first of a storm would be live before the last is in, and everybody would go over the stretch alone.
 */
const NEWCOMERS_SHARE = 1 / 16;

/**
 * Leads subscribers that are behind back to live, one step each in turn, so that nobody has to wait for somebody else's whole
 * backlog. One event-loop turn spends a bounded time on it, so that live delivery goes on.
 *
 * A round takes those that are furthest behind, and those that are a step from live; the others wait for the rear to
 * come up. Thousands who resume over the same stretch of the log then move through it as one pack, though they came one after
 * another, and what the log has read and verified for the first serves the last. Spread over the stretch they would push
 * each other's batches out of its cache.
 */
export class CatchUp {
  readonly #clock: Clock;
  readonly #turnMs: number;
  /** The rest of the round, in reverse order. */
  #round: Member[] = [];
  /** Who waits for the next round. */
  #next: Member[] = [];
  #rounds = 0;
  /** Somebody came since the last turn. */
  #newcomers = false;
  /** How many records the longest step of the last rounds passed. */
  #stride = 1;

  constructor(clock: Clock, turnMs: number) {
    this.#clock = clock;
    this.#turnMs = turnMs;
  }

  add(member: Member): void {
    this.#next.push(member);
  }

  /** A subscriber that has not been live yet. */
  welcome(member: Member): void {
    this.#newcomers = true;
    this.#next.push(member);
  }

  get isEmpty(): boolean {
    return this.#round.length === 0 && this.#next.length === 0;
  }

  /** Takes steps until nobody wants one or the turn's time is used. */
  run(): void {
    const deadline =
      this.#clock.monotonicMs() + (this.#newcomers ? this.#turnMs * NEWCOMERS_SHARE : this.#turnMs);
    this.#newcomers = false;
    for (let steps = 0; !this.isEmpty; steps++) {
      if (this.#round.length === 0) this.#beginRound();
      const member = this.#round.pop() as Member;
      const before = member.distance;
      if (member.advance()) this.#next.push(member);
      this.#stride = Math.max(this.#stride, before - member.distance);
      // Reading the clock costs about as much as a short step.
      if ((steps & 7) === 7 && this.#clock.monotonicMs() >= deadline) return;
    }
  }

  #beginRound(): void {
    const waiting = this.#next;
    const distances = waiting.map((member) => member.distance);
    let furthest = 0;
    for (const distance of distances) furthest = Math.max(furthest, distance);
    const everybody = ++this.#rounds % PATIENCE_ROUNDS === 0;
    const stride = this.#stride;
    const takes = (index: number): boolean =>
      everybody || distances[index] <= stride || distances[index] >= furthest - stride;
    this.#next = waiting.filter((_, index) => !takes(index));
    // Taken from the back, hence the reversal: first come, first served.
    this.#round = waiting.filter((_, index) => takes(index)).reverse();
    // What is a step changes with the load: an old long one is forgotten by and by.
    this.#stride = Math.max(1, Math.floor(stride * 0.75));
  }
}
