import {
  type Clock,
  type Limits,
  type Logger,
  type Random,
  randomId,
  TidegateError,
} from '../kernel/index.ts';
import type { Log } from '../log/index.ts';
import { CHANGE_KEY, type ChangeSet, encodeChangeSet, type Removal, SNAPSHOT_KEY } from './change-set.ts';
import { Declarations } from './declarations.ts';
import { Journal } from './journal.ts';
import { JournalFold } from './journal-fold.ts';
import { named, planChanges } from './plan.ts';
import type {
  AppliedChangeSet,
  DeclaredResource,
  ResourceKind,
  ResourceListener,
  ResourceName,
  ResourceSnapshot,
  Resources,
} from './port.ts';
import { Reconciler } from './reconciler.ts';
import { planRedeclaration, type Redeclaration } from './redeclaration.ts';
import type { ResourceWrite, WriteResult } from './resource-write.ts';
import { Snapshot } from './snapshot.ts';
import { keyOf } from './stored-state.ts';
import { UsableResources } from './usable-resources.ts';

export interface ResourceStoreOptions {
  readonly log: Log;
  readonly kinds: readonly ResourceKind[];
  /** The config file's resources, which have been validated; put into effect in this order. */
  readonly declared: readonly DeclaredResource[];
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly limits: Limits;
}

/** How often a write that expects nothing is made anew because somebody else's came first. */
const ATTEMPTS_MAX = 16;
const CHANGE_SET_ID_LENGTH = 16;

/** A change set is known to have taken effect, or not to. */
type Verdict = 'applied' | 'conflict';

interface Waiting {
  resolve(verdict: Verdict): void;
  reject(error: TidegateError): void;
}

/**
 * The resources of a server: those of the config file and those stored in the topic `_resources`, in one snapshot. Several
 * stores can share a log; each folds the same records in the same order. A store that meets a record it cannot read keeps the
 * snapshot that it has and refuses to write, since what comes after depends on it.
 */
export class ResourceStore implements Resources {
  readonly kinds: ReadonlyMap<string, ResourceKind>;
  readonly #options: ResourceStoreOptions;
  readonly #journal: Journal;
  readonly #fold = new JournalFold();
  readonly #reconciler: Reconciler;
  readonly #waiting = new Map<string, Waiting>();
  readonly #usable: UsableResources;
  #declared: Declarations;
  #listeners: readonly ResourceListener[] = [];
  #snapshot = new Snapshot(0);
  #halted: TidegateError | null = null;
  #lastWrite: Promise<unknown> = Promise.resolve();
  #stopFollowing: () => void = () => {};

  private constructor(options: ResourceStoreOptions) {
    this.#options = options;
    this.kinds = new Map(options.kinds.map((kind) => [kind.kind, kind]));
    this.#declared = Declarations.of(this.kinds, options.declared);
    this.#usable = new UsableResources(this.kinds, this.#fold.state);
    this.#journal = new Journal(options.log, options.limits);
    this.#reconciler = new Reconciler({
      kinds: this.kinds,
      snapshot: () => this.#snapshot,
      logger: options.logger,
    });
  }

  /**
   * Reads what is stored and puts all resources into effect.
   * @throws TidegateError resources_damaged, resources_version_unsupported, and what stands in the way of a resource of the
   *   config file
   */
  static async open(options: ResourceStoreOptions): Promise<ResourceStore> {
    const store = new ResourceStore(options);
    await store.#start();
    return store;
  }

  get snapshot(): ResourceSnapshot {
    return this.#snapshot;
  }

  onChange(listener: ResourceListener): () => void {
    // An object of its own, so that the same function can listen twice.
    const own: ResourceListener = (snapshot, applied) => listener(snapshot, applied);
    this.#listeners = [...this.#listeners, own];
    return () => {
      this.#listeners = this.#listeners.filter((other) => other !== own);
    };
  }

  /** What took effect after `position`. @throws TidegateError resource_history_gone */
  changesSince(position: number): readonly AppliedChangeSet[] {
    return this.#fold.history.since(position, this.#fold.next);
  }

  /**
   * Makes changes: all of them, or none. Writes of one store happen one after the other; the promise is resolved when the
   * changes are durable, in the snapshot and in effect.
   * @throws TidegateError as `planChanges` and `Log.append`; what kept a change from taking effect, although it is stored;
   *   resources_damaged, resources_version_unsupported if somebody else stored what cannot be read
   */
  write(request: ResourceWrite): Promise<WriteResult> {
    return this.#afterOthers(() => this.#write(request));
  }

  /**
   * Takes what the config file says now in place of what it said before: all of it, or nothing. Those who follow hear of what has become another one, as
   * of any other change; what the file leaves out is not deleted, so that a topic keeps what it stores. Resolves once it is in effect.
   * @throws TidegateError resource_invalid, what `ResourceKind.check` throws; resources_damaged, resources_version_unsupported
   */
  redeclare(declared: readonly DeclaredResource[]): Promise<Redeclaration> {
    return this.#afterOthers(() => this.#redeclare(declared));
  }

  /** Stops following the log, after the write that is under way. */
  async close(): Promise<void> {
    await this.#lastWrite;
    this.#stopFollowing();
  }

  #afterOthers<Result>(change: () => Promise<Result>): Promise<Result> {
    const result = this.#lastWrite.then(change);
    this.#lastWrite = result.catch(() => {});
    return result;
  }

  async #start(): Promise<void> {
    const start = this.#journal.start();
    this.#fold.restore(start);
    const removals: Removal[] = [...(start.snapshot?.removals ?? [])];
    for (const record of this.#journal.records(start.from, this.#journal.end))
      removals.push(...this.#fold.take(record).removals);
    this.#warnOfHidden([...this.#fold.state.resources].filter((stored) => this.#declared.get(stored)));
    await this.#usable.check(this.#options.logger);
    this.#snapshot = Snapshot.of(this.#fold.next, [...this.#usable.all(), ...this.#declared.resources]);
    await this.#journal.retain(this.#fold.state.bytes);
    // The config file's first, in its order, then the stored ones.
    const own = this.#declared.resources.map(({ kind, name }) => ({ kind, name }));
    const stored = [...this.kinds.keys()].flatMap((kind) => this.#snapshot.resources(kind));
    await this.#reconciler.reconcile([...own, ...stored], removals);
    const failure = this.#failureOf(own);
    if (failure !== null) throw failure;
    this.#stopFollowing = this.#journal.onMore(() => this.#follow());
    this.#follow();
  }

  async #write(request: ResourceWrite): Promise<WriteResult> {
    for (let attempt = 0; ; attempt++) {
      if (this.#halted !== null) throw this.#halted;
      const { differences, changes } = await planChanges(request.changes, {
        kinds: this.kinds,
        snapshot: this.#snapshot,
        state: this.#fold.state,
        limits: this.#options.limits,
      });
      if (request.mode === 'dry-run') return { position: this.#fold.next, differences };
      if (changes.length > 0) {
        await this.#snapshotIfDue();
        const verdict = await this.#store({
          id: randomId(this.#options.random, CHANGE_SET_ID_LENGTH),
          who: request.who,
          atMs: this.#options.clock.nowMs(),
          changes,
        });
        if (verdict === 'conflict') {
          if (attempt < ATTEMPTS_MAX) continue;
          throw new TidegateError(
            'resource_conflict',
            `The ${named(changes[0])} is being changed all the time.`,
          );
        }
      }
      // What is as it was asked to be may not have been put into effect yet.
      await this.#reconciler.reconcile(request.changes, []);
      const failure = this.#failureOf(request.changes);
      if (failure !== null) throw failure;
      return { position: this.#fold.next, differences };
    }
  }

  async #redeclare(declared: readonly DeclaredResource[]): Promise<Redeclaration> {
    if (this.#halted !== null) throw this.#halted;
    const later = await this.#declared.next(declared, this.#options.clock);
    // From here on in one step, so that nothing comes between what was checked and what takes effect.
    const context = { kinds: this.kinds, snapshot: this.#snapshot, stored: this.#usable };
    const plan = planRedeclaration(this.#declared, later, context);
    this.#declared = later;
    const { position } = this.#snapshot;
    this.#snapshot = this.#snapshot.with(position, plan.touched, (resource) =>
      plan.inForce.get(keyOf(resource)),
    );
    const { differences, hidden, changes } = plan;
    this.#warnOfHidden(hidden);
    if (changes.length > 0) {
      const { random, clock } = this.#options;
      const id = randomId(random, CHANGE_SET_ID_LENGTH);
      this.#tell({ position, id, who: '', atMs: clock.nowMs(), changes });
    }
    await this.#reconciler.reconcile(changes, []);
    return { differences, hidden, failure: this.#failureOf(changes) };
  }

  /** What kept one of them from taking effect; null if nothing did. */
  #failureOf(resources: readonly ResourceName[]): TidegateError | null {
    return resources.map((resource) => this.#reconciler.failureOf(resource)).find((error) => error) ?? null;
  }

  /** Appends a change set and waits until it has been read back. */
  async #store(changeSet: ChangeSet): Promise<Verdict> {
    const verdict = new Promise<Verdict>((resolve, reject) => {
      this.#waiting.set(changeSet.id, { resolve, reject });
    });
    // Whoever fails first tells it; the other must not count as unhandled.
    verdict.catch(() => {});
    try {
      await this.#journal.append(CHANGE_KEY, encodeChangeSet(changeSet));
      this.#follow();
      return await verdict;
    } finally {
      this.#waiting.delete(changeSet.id);
    }
  }

  /** Takes in whatever was stored since. */
  #follow(): void {
    if (this.#halted !== null) return;
    try {
      for (const record of this.#journal.records(this.#fold.next, this.#journal.end)) {
        const { changeSet, applied, removals } = this.#fold.take(record);
        if (changeSet === null) continue;
        this.#waiting.get(changeSet.id)?.resolve(applied === null ? 'conflict' : 'applied');
        if (applied !== null) this.#publish(applied, removals);
      }
    } catch (thrown) {
      const error = TidegateError.from(thrown);
      this.#halted = error;
      this.#options.logger.error({ error }, 'Resources cannot be followed any more; those in force stay so');
      for (const { reject } of this.#waiting.values()) reject(error);
    }
  }

  #publish(applied: AppliedChangeSet, removals: readonly Removal[]): void {
    this.#snapshot = this.#snapshot.with(this.#fold.next, applied.changes, (resource) => {
      const { kind, name } = resource;
      const before = this.#snapshot.get(kind, name);
      return before?.source === 'config' ? before : this.#usable.get(resource);
    });
    this.#tell(applied);
    // It never fails; who wants to know asks afterwards.
    void this.#reconciler.reconcile(applied.changes, removals);
  }

  #tell(applied: AppliedChangeSet): void {
    for (const listener of this.#listeners) {
      try {
        listener(this.#snapshot, applied);
      } catch (error) {
        this.#options.logger.error({ error }, 'A change of resources could not be told');
      }
    }
    const { id, who, changes } = applied;
    this.#options.logger.info({ id, who, changed: changes.map(keyOf) }, 'Resources were changed');
  }

  /** Says what the config file hides of what is stored. */
  #warnOfHidden(hidden: Iterable<ResourceName>): void {
    for (const { kind, name } of hidden)
      this.#options.logger.warn({ kind, name }, 'A stored resource is hidden by one of the config file');
  }

  /** Sums up what is stored, so that starting does not read everything and what came before can be dropped. */
  async #snapshotIfDue(): Promise<void> {
    if (!this.#fold.isSnapshotDue(this.#options.limits.resourcesBytesMax)) return;
    await this.#journal.append(SNAPSHOT_KEY, this.#fold.snapshotRecord(this.#reconciler.removals));
    this.#follow();
  }
}
