import type { Clock, Timer } from './clock.ts';

/** A connection that is looked after. */
export interface Watched {
  /** Which slot of the round it is in; the watch's own. */
  slot: number;
  /** Comes once per interval. `tick` counts the ticks of the watch. */
  visited(tick: number): void;
  /** The peer did not answer the close frame in time. */
  closeTimedOut(): void;
}

export interface LivenessOptions {
  readonly clock: Clock;
  /** How often each connection is visited. */
  readonly intervalMs: number;
  readonly closeTimeoutMs: number;
}

/** A round is cut into slots, so that thousands of pings are not sent in one turn. */
const SLOTS = 64;
const TICK_MS_MIN = 10;

/** Looks after all connections with one timer, which runs only while there are any. */
export class Liveness {
  /** The time between two ticks. */
  readonly tickMs: number;
  readonly #clock: Clock;
  readonly #closeTicks: number;
  readonly #slots: Set<Watched>[] = Array.from({ length: SLOTS }, () => new Set());
  /** Connections that wait for the peer's close frame, with the tick of their deadline, the earliest first. */
  readonly #closing = new Map<Watched, number>();
  #size = 0;
  #tick = 0;
  #timer: Timer | null = null;

  constructor(options: LivenessOptions) {
    this.#clock = options.clock;
    this.tickMs = Math.max(TICK_MS_MIN, Math.ceil(options.intervalMs / SLOTS));
    this.#closeTicks = Math.ceil(options.closeTimeoutMs / this.tickMs);
  }

  /** The first visit comes after one interval. */
  add(watched: Watched): void {
    watched.slot = this.#tick % SLOTS;
    this.#slots[watched.slot].add(watched);
    this.#size++;
    this.#timer ??= this.#clock.setRepeatingTimer(() => this.#pass(), this.tickMs);
  }

  /** A close frame was sent. */
  closing(watched: Watched): void {
    this.#closing.set(watched, this.#tick + this.#closeTicks);
  }

  delete(watched: Watched): void {
    if (!this.#slots[watched.slot].delete(watched)) return;
    this.#closing.delete(watched);
    this.#size--;
    if (this.#size > 0 || this.#timer === null) return;
    this.#clock.clearTimer(this.#timer);
    this.#timer = null;
  }

  #pass(): void {
    this.#tick++;
    for (const [watched, deadline] of this.#closing) {
      if (deadline > this.#tick) break;
      this.#closing.delete(watched);
      watched.closeTimedOut();
    }
    for (const watched of this.#slots[this.#tick % SLOTS]) watched.visited(this.#tick);
  }
}
