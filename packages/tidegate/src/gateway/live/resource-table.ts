import type { Clock, Limits, Timer } from '../../kernel/index.ts';
import type { LiveResource } from './live-resource.ts';

/** All values that are kept: those that somebody follows, and for a while those that nobody does, in case of a return. */
export class ResourceTable {
  readonly #clock: Clock;
  readonly #limits: Limits;
  readonly #resources = new Map<string, LiveResource>();
  /** Since when nobody has been there; the longest first. */
  readonly #idle = new Map<LiveResource, number>();
  /** The length of all texts. */
  #textLength = 0;
  #timer: Timer | null = null;

  constructor(clock: Clock, limits: Limits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  get size(): number {
    return this.#resources.size;
  }

  all(): readonly LiveResource[] {
    return [...this.#resources.values()];
  }

  get(key: string): LiveResource | undefined {
    return this.#resources.get(key);
  }

  /** Whether one more may be added; idle ones give way to it. */
  hasRoom(): boolean {
    const { liveResourcesMax, liveValuesBytesMax } = this.#limits;
    while (this.size >= liveResourcesMax || this.#textLength >= liveValuesBytesMax) {
      if (!this.#dropOldest()) return false;
    }
    return true;
  }

  /** Somebody is about to follow it. */
  add(resource: LiveResource): void {
    this.#resources.set(resource.key, resource);
  }

  resized(by: number): void {
    this.#textLength += by;
    // Those that are followed may grow past the limit: it is newcomers that are refused then.
    while (this.#textLength > this.#limits.liveValuesBytesMax) if (!this.#dropOldest()) break;
  }

  woke(resource: LiveResource): void {
    this.#idle.delete(resource);
  }

  slept(resource: LiveResource): void {
    this.#idle.set(resource, this.#clock.monotonicMs());
    while (this.#idle.size > this.#limits.liveIdleResourcesMax) this.#dropOldest();
    this.#expireLater();
  }

  /** Drops everything. */
  close(): void {
    if (this.#timer !== null) this.#clock.clearTimer(this.#timer);
    this.#timer = null;
    for (const resource of this.all()) this.#drop(resource);
  }

  #expireLater(): void {
    const oldest = this.#idle.values().next();
    if (oldest.done === true || this.#timer !== null) return;
    const dueMs = oldest.value + this.#limits.liveIdleMs;
    const waitMs = Math.max(0, Math.ceil(dueMs - this.#clock.monotonicMs()));
    this.#timer = this.#clock.setTimer(() => {
      this.#timer = null;
      const now = this.#clock.monotonicMs();
      for (const [resource, sinceMs] of this.#idle) {
        if (sinceMs + this.#limits.liveIdleMs > now) break;
        this.#drop(resource);
      }
      this.#expireLater();
    }, waitMs);
  }

  #dropOldest(): boolean {
    const oldest = this.#idle.keys().next();
    if (oldest.done === true) return false;
    this.#drop(oldest.value);
    return true;
  }

  #drop(resource: LiveResource): void {
    this.#idle.delete(resource);
    this.#resources.delete(resource.key);
    resource.close();
  }
}
