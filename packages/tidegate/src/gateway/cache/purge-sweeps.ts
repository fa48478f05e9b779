import { type Clock, type Limits, TidegateError } from '../../kernel/index.ts';
import { concerns, type PurgeResult, type WidePurge } from './purge.ts';
import type { StoredResponse } from './stored-response.ts';

interface Sweep {
  readonly purge: WidePurge;
  /** Responses that were stored later than this stay. */
  readonly sequence: number;
  readonly found: Iterator<StoredResponse | null, void>;
}

/** When a purge that was refused may be tried again: sweeps take turns of the event loop, not seconds. */
const RETRY_AFTER_MS = 1000;

/**
 * Purges of many responses, carried out a bounded number of steps in each turn of the event loop, so that one of a million responses delays
 * nobody. What is not taken out yet is recognised when somebody asks for it, which costs nothing while no purge is under way.
 */
export class PurgeSweeps {
  readonly #clock: Clock;
  readonly #limits: Pick<Limits, 'cachePurgeStepMax' | 'cachePurgesPendingMax'>;
  readonly #take: (response: StoredResponse) => void;
  readonly #sweeps: Sweep[] = [];

  constructor(
    clock: Clock,
    limits: Pick<Limits, 'cachePurgeStepMax' | 'cachePurgesPendingMax'>,
    take: (response: StoredResponse) => void,
  ) {
    this.#clock = clock;
    this.#limits = limits;
    this.#take = take;
  }

  /** Whether any purge is under way. */
  get isAny(): boolean {
    return this.#sweeps.length > 0;
  }

  /** Whether a response is being purged. */
  concern(response: StoredResponse): boolean {
    return this.#sweeps.some(
      ({ purge, sequence }) =>
        response.sequence < sequence && concerns(purge, response.uri, response.head.surrogateKeys),
    );
  }

  /** Fails with purge_rate_exceeded if no further purge can begin now. */
  assertRoom(): void {
    if (this.#sweeps.length < this.#limits.cachePurgesPendingMax) return;
    throw new TidegateError('purge_rate_exceeded', 'Too many purges of many responses are under way.', {
      retryAfterMs: RETRY_AFTER_MS,
    });
  }

  /** Begins a purge, and ends it if it is a small one. */
  begin(purge: WidePurge, sequence: number, found: Iterator<StoredResponse | null, void>): PurgeResult {
    const sweep: Sweep = { purge, sequence, found };
    const { responses, state } = this.#step(sweep);
    if (state === 'sweeping') {
      this.#sweeps.push(sweep);
      if (this.#sweeps.length === 1) this.#clock.endOfTurn(() => this.#continue());
    }
    return { responses, state };
  }

  /** One step of the oldest purge: those behind it wait, or many of them would share one turn. */
  #continue(): void {
    const [oldest] = this.#sweeps;
    if (this.#step(oldest).state === 'done') this.#sweeps.shift();
    if (this.#sweeps.length > 0) this.#clock.endOfTurn(() => this.#continue());
  }

  #step({ sequence, found }: Sweep): PurgeResult {
    let responses = 0;
    for (let step = 0; step < this.#limits.cachePurgeStepMax; step++) {
      const next = found.next();
      if (next.done) return { responses, state: 'done' };
      if (next.value === null || next.value.sequence >= sequence) continue;
      this.#take(next.value);
      responses++;
    }
    return { responses, state: 'sweeping' };
  }
}
