import { createHash } from 'node:crypto';
import type { Clock, Limits, Line } from '../kernel/index.ts';
import { GrantedIdentity } from './identity.ts';
import type { LimitHits } from './limit-hits.ts';
import { LocalUsage } from './local-usage.ts';
import type { LimitOptions } from './options.ts';
import type { Identity } from './port.ts';
import { RemoteUsage } from './remote-usage.ts';
import type { Usage } from './usage.ts';
import { UsageOwner } from './usage-owner.ts';

/** Makes the usage that counts under a name which is the same in all processes. */
type MakeUsage<Kind> = (name: string, limits: LimitOptions) => Kind;

/**
 * Whose usage counts together. A key counts by itself, all tokens of a user count as one, and so do all who show nothing. A token without
 * a user counts by itself.
 */
export class Usages<Kind extends Usage = Usage> {
  readonly #make: MakeUsage<Kind>;
  readonly #defaults: LimitOptions | null;
  readonly #byIdentity = new WeakMap<Identity, Kind>();
  /** Kept by the identities and subscriptions that share it, and gone with the last of them. */
  readonly #byName = new Map<string, WeakRef<Kind>>();
  readonly #gone = new FinalizationRegistry<string>((name) => {
    if (this.#byName.get(name)?.deref() === undefined) this.#byName.delete(name);
  });

  /** @param defaults the limits of those who have none of their own; null for none */
  constructor(make: MakeUsage<Kind>, defaults: LimitOptions | null) {
    this.#make = make;
    this.#defaults = defaults;
  }

  /** The usage that somebody's connections count in; null if nothing limits them. */
  of(identity: Identity): Kind | null {
    const limits = this.limitsOf(identity);
    if (limits === null) return null;
    let usage = this.#byIdentity.get(identity);
    if (usage === undefined) {
      usage = this.named(nameOf(identity, ownLimitsOf(identity)), limits);
      this.#byIdentity.set(identity, usage);
    }
    return usage;
  }

  /** What limits somebody; null if nothing does. */
  limitsOf(identity: Identity): LimitOptions | null {
    return ownLimitsOf(identity) ?? this.#defaults;
  }

  /** The usage of a name. */
  named(name: string, limits: LimitOptions): Kind {
    const known = this.#byName.get(name)?.deref();
    if (known !== undefined) return known;
    const usage = this.#make(name, limits);
    this.#byName.set(name, new WeakRef(usage));
    this.#gone.register(usage, name);
    return usage;
  }
}

/** Usages that this process counts. */
export function countedHere(clock: Clock, hits: LimitHits): MakeUsage<LocalUsage> {
  return (_name, limits) => new LocalUsage(clock, limits, hits);
}

/** Usages that the process at the other end of the line counts. */
export function countedByOwner(
  line: Line,
  clock: Clock,
  serverLimits: Limits,
  hits: LimitHits,
): MakeUsage<RemoteUsage> {
  const usages = new UsageOwner(line);
  return (name, limits) =>
    usages.open(name, limits, (owner) => new RemoteUsage({ clock, serverLimits, hits, limits, owner }));
}

function ownLimitsOf(identity: Identity): LimitOptions | null {
  return identity instanceof GrantedIdentity ? identity.limits : null;
}

/** No name has it. */
const SEPARATOR = '\0';

function nameOf({ credential, name, user, claims }: Identity, own: LimitOptions | null): string {
  // A key that is given other limits begins anew: what it held ends with it.
  if (own !== null) return `${name}${SEPARATOR}${JSON.stringify(own)}`;
  if (credential !== 'token' || user !== '') return name;
  // What was signed is what tells one token from another in every process.
  return `${name}${SEPARATOR}${createHash('sha256').update(JSON.stringify(claims)).digest('base64')}`;
}
