import type { Clock } from '../../kernel/index.ts';
import type { TypedFrame } from '../../wire/grip/index.ts';

interface DelayedFrame {
  readonly frame: TypedFrame;
  readonly dueMs: number;
}

/** Frames that an origin has asked to be sent later, unless it asks for them sooner. */
export class DelayedFrames {
  readonly #clock: Clock;
  readonly #countMax: number;
  /** In the order in which they are due. */
  #frames: DelayedFrame[] = [];

  constructor(clock: Clock, countMax: number) {
    this.#clock = clock;
    this.#countMax = countMax;
  }

  /** Adds one. Returns those that there is no room for any more, which are to be sent now. */
  add(frame: TypedFrame, delayMs: number): readonly TypedFrame[] {
    const dueMs = this.#clock.monotonicMs() + delayMs;
    const later = this.#frames.findIndex((other) => other.dueMs > dueMs);
    this.#frames.splice(later === -1 ? this.#frames.length : later, 0, { frame, dueMs });
    return this.#take(Math.max(0, this.#frames.length - this.#countMax));
  }

  /** Takes those that are due. */
  takeDue(): readonly TypedFrame[] {
    const nowMs = this.#clock.monotonicMs();
    const left = this.#frames.findIndex(({ dueMs }) => dueMs > nowMs);
    return this.#take(left === -1 ? this.#frames.length : left);
  }

  takeAll(): readonly TypedFrame[] {
    return this.#take(this.#frames.length);
  }

  /** How long until the next one is due; null if there is none. */
  get nextMs(): number | null {
    const next = this.#frames.at(0);
    return next === undefined ? null : Math.max(0, next.dueMs - this.#clock.monotonicMs());
  }

  #take(count: number): readonly TypedFrame[] {
    return this.#frames.splice(0, count).map(({ frame }) => frame);
  }
}
