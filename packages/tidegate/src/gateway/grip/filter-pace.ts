import type { Clock, Timer } from '../../kernel/index.ts';

/** How many may begin within a second, and how many wait for that. */
export interface Pace {
  readonly perSecond: number;
  readonly queueMax: number;
}

/** Who is let in by one key. */
interface Gate {
  /** How many may begin at once, at the time `atMs`. */
  free: number;
  atMs: number;
  readonly waiting: Set<() => void>;
  timer: Timer | null;
}

/** Lets so many begin within a second by each key; the others wait in their order. */
export class FilterPace {
  readonly #clock: Clock;
  readonly #pace: Pace;
  readonly #gates = new WeakMap<object, Gate>();
  /** Those of which somebody waits. */
  readonly #busy = new Set<Gate>();
  #waiting = 0;

  constructor(clock: Clock, pace: Pace) {
    this.#clock = clock;
    this.#pace = pace;
  }

  /** Calls `begin` when it is its turn, which may be before this returns. Returns how to leave the queue; null if that is full. */
  enter(key: object, begin: () => void): (() => void) | null {
    const gate = this.#gateOf(key);
    this.#refill(gate);
    if (gate.free >= 1 && gate.waiting.size === 0) {
      gate.free--;
      begin();
      return () => {};
    }
    if (this.#waiting >= this.#pace.queueMax) return null;
    const entry = (): void => begin();
    gate.waiting.add(entry);
    this.#waiting++;
    this.#expect(gate);
    return () => {
      if (gate.waiting.delete(entry)) this.#waiting--;
    };
  }

  close(): void {
    for (const { timer } of this.#busy) if (timer !== null) this.#clock.clearTimer(timer);
    this.#busy.clear();
  }

  #gateOf(key: object): Gate {
    let gate = this.#gates.get(key);
    if (gate === undefined) {
      gate = { free: this.#pace.perSecond, atMs: this.#clock.monotonicMs(), waiting: new Set(), timer: null };
      this.#gates.set(key, gate);
    }
    return gate;
  }

  #refill(gate: Gate): void {
    const nowMs = this.#clock.monotonicMs();
    const { perSecond } = this.#pace;
    gate.free = Math.min(perSecond, gate.free + ((nowMs - gate.atMs) * perSecond) / 1000);
    gate.atMs = nowMs;
  }

  #expect(gate: Gate): void {
    if (gate.timer !== null) return;
    this.#busy.add(gate);
    const waitMs = Math.max(1, Math.ceil(((1 - gate.free) * 1000) / this.#pace.perSecond));
    gate.timer = this.#clock.setTimer(() => {
      gate.timer = null;
      this.#letIn(gate);
    }, waitMs);
  }

  #letIn(gate: Gate): void {
    this.#refill(gate);
    for (const begin of gate.waiting) {
      if (gate.free < 1) break;
      gate.free--;
      gate.waiting.delete(begin);
      this.#waiting--;
      begin();
    }
    if (gate.waiting.size > 0) this.#expect(gate);
    else this.#busy.delete(gate);
  }
}
