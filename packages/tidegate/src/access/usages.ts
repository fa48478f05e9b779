import type { Clock } from '../kernel/index.ts';
import { GrantedIdentity } from './identity.ts';
import type { LimitHits } from './limit-hits.ts';
import type { LimitOptions } from './options.ts';
import type { Identity } from './port.ts';
import { Usage } from './usage.ts';

/**
 * Whose usage counts together. A key counts by itself, all tokens of a user count as one, and so do all who show nothing. A token without
 * a user counts by itself.
 */
export class Usages {
  readonly #clock: Clock;
  readonly #hits: LimitHits;
  readonly #defaults: LimitOptions | null;
  readonly #byIdentity = new WeakMap<Identity, Usage>();
  /** By the name of a user. Kept by the identities and subscriptions that share it, and gone with the last of them. */
  readonly #byName = new Map<string, WeakRef<Usage>>();
  readonly #gone = new FinalizationRegistry<string>((name) => {
    if (this.#byName.get(name)?.deref() === undefined) this.#byName.delete(name);
  });

  /** @param defaults the limits of those who have none of their own; null for none */
  constructor(clock: Clock, hits: LimitHits, defaults: LimitOptions | null) {
    this.#clock = clock;
    this.#hits = hits;
    this.#defaults = defaults;
  }

  /** The usage that somebody's connections count in; null if nothing limits them. */
  of(identity: Identity): Usage | null {
    const own = identity instanceof GrantedIdentity ? identity.limits : null;
    const limits = own ?? this.#defaults;
    if (limits === null) return null;
    let usage = this.#byIdentity.get(identity);
    if (usage === undefined) {
      const isShared = own === null && (identity.credential === 'none' || identity.user !== '');
      usage = isShared ? this.#shared(identity.name, limits) : new Usage(this.#clock, limits, this.#hits);
      this.#byIdentity.set(identity, usage);
    }
    return usage;
  }

  #shared(name: string, limits: LimitOptions): Usage {
    const known = this.#byName.get(name)?.deref();
    if (known !== undefined) return known;
    const usage = new Usage(this.#clock, limits, this.#hits);
    this.#byName.set(name, new WeakRef(usage));
    this.#gone.register(usage, name);
    return usage;
  }
}
