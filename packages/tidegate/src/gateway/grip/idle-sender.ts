import type { Deadlines, Random } from '../../kernel/index.ts';
import type { GripKeepAlive } from '../../wire/grip/index.ts';

/** So much earlier than told, at most, a keep-alive may come, so that those of many clients do not come together. */
const JITTER_MS_MAX = 1000;
const JITTER_SHARE = 10;

/** Knows when a keep-alive is due. */
export class IdleSender {
  readonly #keepAlive: GripKeepAlive;
  readonly #intervalMs: number;
  readonly #deadlines: Deadlines;
  #dueMs: number;

  constructor(keepAlive: GripKeepAlive, deadlines: Deadlines, random: Random) {
    const jitterMs = Math.min(JITTER_MS_MAX, Math.floor(keepAlive.intervalMs / JITTER_SHARE));
    this.#keepAlive = keepAlive;
    this.#intervalMs = keepAlive.intervalMs - (random.uint32() % (jitterMs + 1));
    this.#deadlines = deadlines;
    this.#dueMs = deadlines.after(this.#intervalMs);
  }

  get content(): Uint8Array {
    return this.#keepAlive.content;
  }

  /** On the scale of `Deadlines.after`. */
  get dueMs(): number {
    return this.#dueMs;
  }

  /** Counts from now on. */
  restart(): void {
    this.#dueMs = this.#deadlines.after(this.#intervalMs);
  }

  /** Something else was sent. */
  sent(): void {
    if (this.#keepAlive.mode === 'idle') this.restart();
  }

  /** Whether a keep-alive is to be sent now; the next is then due an interval later. */
  take(nowMs: number): boolean {
    if (this.#dueMs > nowMs) return false;
    this.restart();
    return true;
  }
}
