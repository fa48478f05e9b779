import type { Clock, Timer } from '../kernel/index.ts';
import type { AccessEnd, AccessHold, Identity } from './port.ts';

/** How late an identity's end may be noticed. */
const SWEEP_MS = 500;

/** Those who go on with one identity. */
interface Holders {
  /** From when on they are told that it ends. */
  readonly noticeFromMs: number;
  readonly untold: Set<AccessHold>;
  /** Made when there is somebody to tell, which of most identities there never is. */
  told: Set<AccessHold> | null;
}

/** Who goes on for longer than a request, by identity; told some time before the identity ends, and when it does. */
export class Holds {
  readonly #clock: Clock;
  readonly #noticeMs: number;
  readonly #sweep: Timer;
  readonly #holders = new Map<Identity, Holders>();

  /** @param noticeMs how long before its end an identity's holders are told */
  constructor(clock: Clock, noticeMs: number) {
    this.#clock = clock;
    this.#noticeMs = noticeMs;
    this.#sweep = clock.setRepeatingTimer(() => this.#pass(), SWEEP_MS);
  }

  /** Identities that somebody holds on to. */
  get size(): number {
    return this.#holders.size;
  }

  /** Returns what lets go. */
  add(identity: Identity, hold: AccessHold): () => void {
    let holders = this.#holders.get(identity);
    if (holders === undefined) {
      holders = { noticeFromMs: this.#noticeFrom(identity), untold: new Set(), told: null };
      this.#holders.set(identity, holders);
    }
    holders.untold.add(hold);
    return () => this.#remove(identity, hold);
  }

  /** Ends what rests on the identities that `isOver` names. */
  end(isOver: (identity: Identity) => boolean, reason: AccessEnd): void {
    // Taken out first: whoever is told may let go of others.
    const over: Holders[] = [];
    for (const [identity, holders] of this.#holders) {
      if (!isOver(identity)) continue;
      this.#holders.delete(identity);
      over.push(holders);
    }
    for (const { untold, told } of over) {
      for (const hold of untold) hold.accessEnded(reason);
      if (told !== null) for (const hold of told) hold.accessEnded(reason);
    }
  }

  close(): void {
    this.#clock.clearTimer(this.#sweep);
  }

  /**
   * Never before half of what is left has gone by: whoever is told fetches another credential and comes back with it, and if that one
   * is as short, would be told at once and so without end.
   */
  #noticeFrom({ expiresMs }: Identity): number {
    return Math.max(expiresMs - this.#noticeMs, (this.#clock.nowMs() + expiresMs) / 2);
  }

  #pass(): void {
    const nowMs = this.#clock.nowMs();
    this.end(({ expiresMs }) => expiresMs <= nowMs, 'expired');
    for (const [identity, holders] of this.#holders) {
      if (holders.noticeFromMs <= nowMs && holders.untold.size > 0) tell(holders, identity.expiresMs);
    }
  }

  #remove(identity: Identity, hold: AccessHold): void {
    const holders = this.#holders.get(identity);
    if (holders === undefined) return;
    if (!holders.untold.delete(hold)) holders.told?.delete(hold);
    if (holders.untold.size === 0 && (holders.told?.size ?? 0) === 0) this.#holders.delete(identity);
  }
}

function tell(holders: Holders, expiresMs: number): void {
  holders.told ??= new Set();
  for (const hold of holders.untold) {
    holders.untold.delete(hold);
    holders.told.add(hold);
    hold.accessExpiring?.(expiresMs);
  }
}
