import type { Deadlines, Random } from '../../kernel/index.ts';
import type { GripInstruct } from '../../wire/grip/index.ts';
import { IdleSender } from './idle-sender.ts';

/** So much earlier than told, at most, a next link is fetched again, so that many clients do not ask together. */
const JITTER_SHARE = 10;

/** When a stream is to be sent a keep-alive, and when its next link is to be fetched for want of messages. */
export class StreamTimes {
  readonly #deadlines: Deadlines;
  readonly #random: Random;
  #keepAlive: IdleSender | null = null;
  /** After how long without a message the next link is fetched, and when the last one came. */
  #refreshMs = Number.POSITIVE_INFINITY;
  #activeAtMs = 0;

  constructor(deadlines: Deadlines, random: Random) {
    this.#deadlines = deadlines;
    this.#random = random;
  }

  /** Takes what an instruction says. One that names no keep-alive leaves that of the one before. */
  follow({ keepAlive, nextLink, hold }: GripInstruct): void {
    if (keepAlive !== null) this.#keepAlive = new IdleSender(keepAlive, this.#deadlines, this.#random);
    if (nextLink === null || hold === null) {
      this.#refreshMs = Number.POSITIVE_INFINITY;
      return;
    }
    const jitterMs = Math.floor(nextLink.timeoutMs / JITTER_SHARE);
    this.#refreshMs = nextLink.timeoutMs - (this.#random.uint32() % (jitterMs + 1));
  }

  /** Counts from now on. */
  restart(): void {
    this.#activeAtMs = this.#deadlines.after(0);
    this.#keepAlive?.restart();
  }

  messageSent(): void {
    this.#activeAtMs = this.#deadlines.nowMs;
    this.#keepAlive?.sent();
  }

  /** Something else than a message was sent. */
  sent(): void {
    this.#keepAlive?.sent();
  }

  /** When to look next, on the scale of `Deadlines.after`. */
  get dueMs(): number {
    return Math.min(this.#activeAtMs + this.#refreshMs, this.#keepAlive?.dueMs ?? Number.POSITIVE_INFINITY);
  }

  /** What to send now; null if nothing is due. The next is then due an interval later. */
  takeKeepAlive(): Uint8Array | null {
    const keepAlive = this.#keepAlive;
    return keepAlive?.take(this.#deadlines.nowMs) === true ? keepAlive.content : null;
  }

  /** Whether the next link is to be fetched now; the next time is then due a time-out later. */
  takeRefresh(): boolean {
    const { nowMs } = this.#deadlines;
    if (this.#activeAtMs + this.#refreshMs > nowMs) return false;
    this.#activeAtMs = nowMs;
    return true;
  }
}
