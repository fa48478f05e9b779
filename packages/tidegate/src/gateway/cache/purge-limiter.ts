import { TokenBucket } from '../../access/index.ts';
import { type Clock, type Limits, TidegateError } from '../../kernel/index.ts';

/** How often each credential may purge. Whoever empties the cache again and again sends all requests to the origin. */
export class PurgeLimiter {
  readonly #clock: Clock;
  readonly #limits: Pick<Limits, 'cachePurgesPerSecondMax' | 'cachePurgeCredentialsMax'>;
  /** By the name of the credential; the one that purged last is at the end. */
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(clock: Clock, limits: Pick<Limits, 'cachePurgesPerSecondMax' | 'cachePurgeCredentialsMax'>) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /**
   * Counts a purge. Fails with purge_rate_exceeded, which says when to try again.
   * @param credential as `Identity.name` names it
   */
  take(credential: string): void {
    const bucket =
      this.#buckets.get(credential) ?? new TokenBucket(this.#clock, this.#limits.cachePurgesPerSecondMax);
    this.#buckets.delete(credential);
    this.#buckets.set(credential, bucket);
    if (this.#buckets.size > this.#limits.cachePurgeCredentialsMax) {
      const [longestAgo] = this.#buckets.keys();
      this.#buckets.delete(longestAgo);
    }
    if (bucket.take()) return;
    throw new TidegateError('purge_rate_exceeded', '', { retryAfterMs: bucket.waitMs(1) });
  }
}
