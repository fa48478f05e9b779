import type { Clock, Timer } from '../../src/kernel/index.ts';

interface PendingTimer {
  readonly callback: () => void;
  readonly intervalMs: number | null;
  dueMs: number;
}

/** A clock that stands still until a test moves it, and turns that end when the test says so. */
export class ManualClock implements Clock {
  #nowMs: number;
  readonly #timers = new Set<PendingTimer>();
  #turn: (() => void)[] = [];

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    const timer: PendingTimer = { callback, intervalMs: null, dueMs: this.#nowMs + delayMs };
    this.#timers.add(timer);
    return timer;
  }

  setRepeatingTimer(callback: () => void, intervalMs: number): Timer {
    const timer: PendingTimer = { callback, intervalMs, dueMs: this.#nowMs + intervalMs };
    this.#timers.add(timer);
    return timer;
  }

  clearTimer(timer: Timer): void {
    this.#timers.delete(timer as PendingTimer);
  }

  soon(callback: () => void): void {
    this.#turn.push(callback);
  }

  endOfTurn(callback: () => void): void {
    this.#turn.push(callback);
  }

  /** Timers that were set and have not ended. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** Whether anything waits for the end of the turn. */
  get hasTurnWork(): boolean {
    return this.#turn.length > 0;
  }

  /** Ends one turn: what is asked for meanwhile waits for the next. */
  endTurn(): void {
    const callbacks = this.#turn;
    this.#turn = [];
    for (const callback of callbacks) callback();
  }

  /** Ends one turn and lets promises settle. */
  async tick(): Promise<void> {
    this.endTurn();
    await new Promise(setImmediate);
  }

  /** Ends turns until nothing waits, promises included. */
  async settle(turnsMax = 10_000): Promise<void> {
    for (let turns = 0; this.hasTurnWork; turns++) {
      if (turns === turnsMax) throw new Error(`Not settled after ${turnsMax} turns`);
      await this.tick();
    }
  }

  /** Ends turns until a promise is settled. */
  async run<Value>(promise: Promise<Value>): Promise<Value> {
    const state = { settled: false };
    const mark = (): void => {
      state.settled = true;
    };
    promise.then(mark, mark);
    while (!state.settled) {
      await this.tick();
    }
    return promise;
  }

  /** Moves time on and calls what is due, in order. */
  advance(byMs: number): void {
    const untilMs = this.#nowMs + byMs;
    for (;;) {
      const next = [...this.#timers].sort((a, b) => a.dueMs - b.dueMs)[0];
      if (next === undefined || next.dueMs > untilMs) break;
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      if (next.intervalMs === null) this.#timers.delete(next);
      else next.dueMs += next.intervalMs;
      next.callback();
    }
    this.#nowMs = untilMs;
  }
}
