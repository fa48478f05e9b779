import type { PublishedEvent } from '../channels/index.ts';
import { TidegateError } from '../kernel/index.ts';
import type { LimitHits } from './limit-hits.ts';
import type { LimitOptions } from './options.ts';

/** What is left of a rate for those who ask for some of it. */
export interface Granted {
  readonly count: number;
  /** When the next one could be had, in milliseconds. */
  readonly retryAfterMs: number;
}

/** What limits say of events that somebody wants to publish. Counts what is refused. */
export class EventLimits {
  readonly #limits: LimitOptions;
  readonly #hits: LimitHits;

  constructor(limits: LimitOptions, hits: LimitHits) {
    this.#limits = limits;
    this.#hits = hits;
  }

  get hasRate(): boolean {
    return this.#limits.publishesPerSecondMax !== undefined;
  }

  /** Refuses events that are too large; null stands for the others. */
  refuseLarge(events: readonly PublishedEvent[]): (TidegateError | null)[] {
    const { messageBytesMax } = this.#limits;
    return events.map(({ data }) => {
      if (messageBytesMax === undefined || data === null || data.length <= messageBytesMax) return null;
      this.#hits.message_bytes.add(1);
      return new TidegateError(
        'body_too_large',
        `The credential allows messages of ${messageBytesMax} bytes`,
      );
    });
  }

  /** Refuses those of the others that come after what was granted. */
  refuseAbove(refusals: (TidegateError | null)[], { count, retryAfterMs }: Granted): void {
    let left = count;
    for (let i = 0; i < refusals.length; i++) {
      if (refusals[i] !== null || left-- > 0) continue;
      this.#hits.publish_rate.add(1);
      const rate = this.#limits.publishesPerSecondMax;
      refusals[i] = new TidegateError('rate_exceeded', `${rate} messages a second are allowed`, {
        retryAfterMs,
      });
    }
  }
}

/** How many events are not refused. */
export function takenOf(refusals: readonly (TidegateError | null)[]): number {
  return refusals.reduce((taken, refusal) => (refusal === null ? taken + 1 : taken), 0);
}
