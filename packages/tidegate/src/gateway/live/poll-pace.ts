import type { Limits, Random } from '../../kernel/index.ts';

const UINT32_RANGE = 2 ** 32;
/** A tenth either way: polls of many resources that began together drift apart, and keep their mean. */
const JITTER = 0.1;
/** An origin that takes longer than the interval is left alone for a tenth of it between two polls. */
const REST = 0.1;
/** Doubling further would lead past any bound. */
const DOUBLINGS_MAX = 20;

/** When polls of one resource follow each other. */
export class PollPace {
  readonly #everyMs: number;
  readonly #limits: Limits;
  readonly #random: Random;
  #failures = 0;

  constructor(everyMs: number, limits: Limits, random: Random) {
    this.#everyMs = Math.max(everyMs, limits.liveShortestIntervalMs);
    this.#limits = limits;
    this.#random = random;
  }

  /** When the next poll is due after one that brought an answer to go by; on the clock that both times are of. */
  afterSuccess(startedMs: number, endedMs: number): number {
    this.#failures = 0;
    return Math.max(startedMs + this.#jittered(this.#everyMs), endedMs + this.#everyMs * REST);
  }

  /** The same after one that failed: the pause doubles each time, up to `limits.liveBackoffMsMax`, and is never shorter than asked for. */
  afterFailure(endedMs: number, retryAfterMs: number): number {
    const doubled = this.#everyMs * 2 ** Math.min(++this.#failures, DOUBLINGS_MAX);
    const backoffMs = Math.max(this.#everyMs, Math.min(doubled, this.#limits.liveBackoffMsMax));
    const askedMs = Math.min(retryAfterMs, this.#limits.liveRetryAfterMsMax);
    return endedMs + Math.max(this.#jittered(backoffMs), askedMs);
  }

  #jittered(ms: number): number {
    const share = this.#random.uint32() / UINT32_RANGE;
    return ms * (1 - JITTER + 2 * JITTER * share);
  }
}
