import type { Clock, Timer } from '../kernel/index.ts';
import type { AccessEnd, AccessHold, Identity } from './port.ts';

/** How late an identity's end may be noticed. */
const SWEEP_MS = 500;

/** Who goes on for longer than a request, by identity; told when the identity ends. */
export class Holds {
  readonly #clock: Clock;
  readonly #sweep: Timer;
  readonly #holds = new Map<Identity, Set<AccessHold>>();

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#sweep = clock.setRepeatingTimer(() => this.#endExpired(), SWEEP_MS);
  }

  /** Identities that somebody holds on to. */
  get size(): number {
    return this.#holds.size;
  }

  /** Returns what lets go. */
  add(identity: Identity, hold: AccessHold): () => void {
    const holds = this.#holds.get(identity);
    if (holds === undefined) this.#holds.set(identity, new Set([hold]));
    else holds.add(hold);
    return () => this.#remove(identity, hold);
  }

  /** Ends what rests on the identities that `isOver` names. */
  end(isOver: (identity: Identity) => boolean, reason: AccessEnd): void {
    // Taken out first: whoever is told may let go of others.
    const over = [...this.#holds].filter(([identity]) => isOver(identity));
    for (const [identity] of over) this.#holds.delete(identity);
    for (const [, holds] of over) for (const hold of holds) hold.accessEnded(reason);
  }

  close(): void {
    this.#clock.clearTimer(this.#sweep);
  }

  #endExpired(): void {
    const nowMs = this.#clock.nowMs();
    this.end(({ expiresMs }) => expiresMs <= nowMs, 'expired');
  }

  #remove(identity: Identity, hold: AccessHold): void {
    const holds = this.#holds.get(identity);
    if (holds === undefined) return;
    holds.delete(hold);
    if (holds.size === 0) this.#holds.delete(identity);
  }
}
