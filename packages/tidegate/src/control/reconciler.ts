import { type Logger, TidegateError } from '../kernel/index.ts';
import type { Removal } from './change-set.ts';
import type { ResourceKind, ResourceName, ResourceSnapshot } from './port.ts';
import { keyOf } from './stored-state.ts';

export interface ReconcilerOptions {
  readonly kinds: ReadonlyMap<string, ResourceKind>;
  /** What is in force at the time of the call. */
  readonly snapshot: () => ResourceSnapshot;
  readonly logger: Logger;
}

/**
 * Makes things as the resources say, one after the other. What fails is tried again in the next round; what it takes may have
 * changed until then, since every round looks at the newest snapshot.
 */
export class Reconciler {
  readonly #kinds: ReadonlyMap<string, ResourceKind>;
  readonly #snapshot: () => ResourceSnapshot;
  readonly #logger: Logger;
  readonly #pending = new Map<string, ResourceName>();
  readonly #failures = new Map<string, TidegateError>();
  #removals: readonly Removal[] = [];
  #lastRound: Promise<void> = Promise.resolve();

  constructor(options: ReconcilerOptions) {
    this.#kinds = options.kinds;
    this.#snapshot = options.snapshot;
    this.#logger = options.logger;
  }

  /** Deletions that have not been carried out. */
  get removals(): readonly Removal[] {
    return this.#removals;
  }

  /** What went wrong with a resource when it was last tried. */
  failureOf(resource: ResourceName): TidegateError | undefined {
    return this.#failures.get(keyOf(resource));
  }

  /** Asks for a round that looks at these, and waits for it. Never fails: see `failureOf`. */
  reconcile(changed: Iterable<ResourceName>, removals: readonly Removal[]): Promise<void> {
    for (const resource of changed) this.#pending.set(keyOf(resource), resource);
    this.#removals = [...this.#removals, ...removals];
    this.#lastRound = this.#lastRound.then(() => this.#round());
    return this.#lastRound;
  }

  async #round(): Promise<void> {
    // What is to go first makes room for what is to come under its name.
    for (const removal of this.#removals) {
      const removed = await this.#attempt(removal, () =>
        this.#kinds.get(removal.kind)?.remove?.(removal.name, removal.mark),
      );
      if (removed) this.#removals = this.#removals.filter((other) => other !== removal);
    }
    for (const [key, resource] of [...this.#pending]) {
      const applied = await this.#attempt(resource, () => {
        const spec = this.#snapshot().of(resource.kind).get(resource.name);
        return spec === undefined ? undefined : this.#kinds.get(resource.kind)?.apply?.(resource.name, spec);
      });
      if (applied) this.#pending.delete(key);
    }
  }

  async #attempt(resource: ResourceName, action: () => Promise<void> | undefined): Promise<boolean> {
    const key = keyOf(resource);
    try {
      await action();
      this.#failures.delete(key);
      return true;
    } catch (error) {
      const { kind, name } = resource;
      this.#failures.set(key, TidegateError.from(error));
      this.#logger.error({ error, kind, name }, 'A resource could not be put into effect; it is tried again');
      return false;
    }
  }
}
