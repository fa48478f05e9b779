import type { Clock } from '../kernel/index.ts';

/** What guessing is slowed down by. */
export interface AttemptRules {
  /** Failures that one client may make within the window. */
  readonly failuresMax: number;
  readonly windowMs: number;
  /** Clients that are remembered. */
  readonly clientsMax: number;
}

/** Told of each failed attempt that is counted here, by the client's name among all clients. */
export type FailureListener = (group: string) => void;

/** What is known of one client, or of several behind one name. */
export interface KnownFailures {
  readonly group: string;
  readonly count: number;
  /** How long they count, in milliseconds. */
  readonly leftMs: number;
}

interface Failures {
  count: number;
  untilMs: number;
}

/**
 * Counts failed attempts for each client, so that guessing a credential takes for ever. Credentials that are known to be good are never
 * held up by it: somebody behind the same address may be guessing.
 */
export class Attempts {
  readonly #clock: Clock;
  readonly #rules: AttemptRules;
  readonly #failures = new Map<string, Failures>();
  readonly #listeners = new Set<FailureListener>();

  constructor(clock: Clock, rules: AttemptRules) {
    this.#clock = clock;
    this.#rules = rules;
  }

  /** How long the client has to wait before it may try again, in milliseconds; 0 if it may now. */
  waitMs(client: string): number {
    const failures = this.#failures.get(clientGroup(client));
    if (failures === undefined || failures.count < this.#rules.failuresMax) return 0;
    return Math.max(0, failures.untilMs - this.#clock.monotonicMs());
  }

  failed(client: string): void {
    this.counted(clientGroup(client), null);
  }

  /** Tells of failures that are counted from now on. Returns what ends it. */
  onFailure(listener: FailureListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Counts a failure, and tells everybody of it but the one that told this. */
  counted(group: string, teller: FailureListener | null): void {
    this.#count(group);
    for (const listener of this.#listeners) if (listener !== teller) listener(group);
  }

  /** All failures that count now. */
  known(): readonly KnownFailures[] {
    const nowMs = this.#clock.monotonicMs();
    return [...this.#failures]
      .map(([group, { count, untilMs }]) => ({ group, count, leftMs: untilMs - nowMs }))
      .filter(({ leftMs }) => leftMs > 0);
  }

  /** Takes over what another process knows; what is known here too is the same. */
  learn(failures: readonly KnownFailures[]): void {
    const nowMs = this.#clock.monotonicMs();
    for (const { group, count, leftMs } of failures) {
      const here = this.#failures.get(group);
      if (here === undefined && this.#failures.size >= this.#rules.clientsMax) return;
      const counted = here === undefined ? count : Math.max(count, here.count);
      this.#failures.set(group, { count: counted, untilMs: nowMs + leftMs });
    }
  }

  #count(group: string): void {
    const nowMs = this.#clock.monotonicMs();
    const known = this.#failures.get(group);
    if (known !== undefined && known.untilMs > nowMs) {
      known.count++;
      return;
    }
    this.#failures.delete(group);
    // The oldest goes: a window that has just begun says the least about who is guessing.
    if (this.#failures.size >= this.#rules.clientsMax) {
      const [oldest] = this.#failures.keys();
      this.#failures.delete(oldest);
    }
    this.#failures.set(group, { count: 1, untilMs: nowMs + this.#rules.windowMs });
  }
}

/** Clients of IPv6 have a whole /64 of addresses to themselves (RFC 4291, section 2.5.4). */
function clientGroup(address: string): string {
  if (!address.includes(':') || address.startsWith('::ffff:')) return address;
  const [head, tail] = address.split('::');
  const groups = head.split(':');
  if (tail === undefined) return groups.slice(0, 4).join(':');
  const rest = tail === '' ? [] : tail.split(':');
  const zeros = new Array<string>(Math.max(0, 8 - groups.length - rest.length)).fill('0');
  return [...groups, ...zeros, ...rest].slice(0, 4).join(':');
}
