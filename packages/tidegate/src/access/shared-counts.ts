import { type Clock, type Limits, type Line, type Metrics, TidegateError } from '../kernel/index.ts';
import { Attempts } from './attempts.ts';
import { type LimitHits, limitHits } from './limit-hits.ts';
import { LocalUsage } from './local-usage.ts';
import type { LimitOptions } from './options.ts';
import type { Identity } from './port.ts';
import { serveUsage } from './serve-usage.ts';
import { joinAttempts, serveAttempts } from './share-attempts.ts';
import type { Usage } from './usage.ts';
import { countedByOwner, countedHere, Usages } from './usages.ts';

export interface SharedCountsOptions {
  readonly clock: Clock;
  readonly limits: Limits;
  readonly metrics: Metrics;
  /** The limits of those who have none of their own; null for none. */
  readonly defaultLimits: LimitOptions | null;
  /** In a worker, the line to the owner, which counts; null in the owner. */
  readonly line: Line | null;
}

/** What all processes of a server count together: what everybody uses of its limits, and failed attempts. */
export class SharedCounts {
  readonly attempts: Attempts;
  readonly usages: Usages;
  /** What this process counts for all; null in a worker. */
  readonly #counted: Usages<LocalUsage> | null;

  readonly #clock: Clock;
  readonly #hits: LimitHits;

  constructor({ clock, limits, metrics, defaultLimits, line }: SharedCountsOptions) {
    const hits = limitHits(metrics);
    this.#clock = clock;
    this.#hits = hits;
    this.attempts = new Attempts(clock, {
      failuresMax: limits.credentialFailuresMax,
      windowMs: limits.credentialFailureWindowMs,
      clientsMax: limits.credentialClientsMax,
    });
    if (line === null) {
      this.#counted = new Usages(countedHere(clock, hits), defaultLimits);
      this.usages = this.#counted;
    } else {
      this.#counted = null;
      this.usages = new Usages(countedByOwner(line, clock, limits, hits), defaultLimits);
      joinAttempts(line, this.attempts);
    }
  }

  /** What a single connection uses, which is in one process for its life; null if nothing limits it. */
  ofConnection(identity: Identity): Usage | null {
    const limits = this.usages.limitsOf(identity)?.perConnection;
    return limits === undefined ? null : new LocalUsage(this.#clock, limits, this.#hits);
  }

  /** Counts for a worker too, until its line closes. */
  serve(line: Line): void {
    if (this.#counted === null) throw new TidegateError('internal', 'A worker counts for nobody else');
    serveUsage(line, this.#counted);
    serveAttempts(line, this.attempts);
  }
}
