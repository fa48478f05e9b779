import { SlidingCounts } from './sliding-counts.ts';

/** When a target is left alone. */
export interface OutlierEjectionOptions {
  /** Failures within the window. */
  readonly failures: number;
  readonly withinMs: number;
  /** How long, times the ejections that the target has not lived down. */
  readonly ejectForMs: number;
  readonly ejectForMaxMs: number;
  /** How many of the targets may be ejected at once. */
  readonly ejectedPercentMax: number;
}

/** What requests have shown of one target. */
class Conduct {
  readonly failures: SlidingCounts;
  ejectedUntilMs = Number.NEGATIVE_INFINITY;
  /** Ejections that are not lived down yet: one is with each `ejectForMs` without a further ejection. */
  ejections = 0;

  constructor(withinMs: number) {
    this.failures = new SlidingCounts(withinMs);
  }
}

/**
 * Leaves targets alone for a while that fail requests. A target that is ejected again and again is left alone for longer each time. Never
 * more of the targets than a share, since the rest has to carry the load: if all fail, the targets are probably not what is wrong.
 */
export class OutlierEjection<Target extends object> {
  readonly #options: OutlierEjectionOptions;
  readonly #conducts: ReadonlyMap<Target, Conduct>;

  /** @param before what is known of targets that are in its list too goes with them */
  constructor(options: OutlierEjectionOptions, targets: Iterable<Target>, before?: OutlierEjection<Target>) {
    this.#options = options;
    const conductOf = (target: Target): Conduct =>
      (before === undefined ? undefined : before.#conducts.get(target)) ?? new Conduct(options.withinMs);
    this.#conducts = new Map([...targets].map((target) => [target, conductOf(target)]));
  }

  isEjected(target: Target, nowMs: number): boolean {
    const conduct = this.#conducts.get(target);
    return conduct !== undefined && nowMs < conduct.ejectedUntilMs;
  }

  /** Counts a failed request; returns whether the target is ejected for it. Others need not be counted. */
  fail(target: Target, nowMs: number): boolean {
    const conduct = this.#conducts.get(target);
    if (conduct === undefined || nowMs < conduct.ejectedUntilMs) return false;
    conduct.failures.add(nowMs);
    const { failures, ejectForMs, ejectForMaxMs } = this.#options;
    if (conduct.failures.total(nowMs) < failures || !this.#mayEject(nowMs)) return false;
    const livedDown = Math.floor((nowMs - conduct.ejectedUntilMs) / ejectForMs);
    conduct.ejections = Math.max(0, conduct.ejections - livedDown) + 1;
    conduct.ejectedUntilMs = nowMs + Math.min(ejectForMaxMs, ejectForMs * conduct.ejections);
    conduct.failures.clear();
    return true;
  }

  #mayEject(nowMs: number): boolean {
    let ejected = 0;
    for (const { ejectedUntilMs } of this.#conducts.values()) if (nowMs < ejectedUntilMs) ejected++;
    return (ejected + 1) * 100 <= this.#options.ejectedPercentMax * this.#conducts.size;
  }
}
