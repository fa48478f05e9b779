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
   * Counts purges that are made together, all or none. Fails with purge_rate_exceeded, which says when to try again, and with purge_invalid if they are
   * more than may come at once at all.
   * @param credential as `Identity.name` names it
   */
  take(credential: string, purges: number): void {
    const { cachePurgesPerSecondMax } = this.#limits;
    if (purges > cachePurgesPerSecondMax)
      throw new TidegateError(
        'purge_invalid',
        `There are ${purges} at once; at most ${cachePurgesPerSecondMax} are allowed in a second.`,
      );
    const bucket = this.#buckets.get(credential) ?? new TokenBucket(this.#clock, cachePurgesPerSecondMax);
    this.#buckets.delete(credential);
    this.#buckets.set(credential, bucket);
    if (this.#buckets.size > this.#limits.cachePurgeCredentialsMax) {
      const [longestAgo] = this.#buckets.keys();
      this.#buckets.delete(longestAgo);
    }
    const waitMs = bucket.waitMs(purges);
    if (waitMs > 0) throw new TidegateError('purge_rate_exceeded', '', { retryAfterMs: waitMs });
    bucket.spend(purges);
  }
}
