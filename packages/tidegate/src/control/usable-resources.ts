import type { Logger } from '../kernel/index.ts';
import type { StoredResource } from './change-set.ts';
import type { Resource, ResourceKind, ResourceName } from './port.ts';
import { schemaCheckOf, schemaFingerprint } from './schema-check.ts';
import { storedResource } from './snapshot.ts';
import { keyOf, type StoredState } from './stored-state.ts';

/** The stored resources that this version can use. What it cannot is left out: nobody is let in by a key that cannot be understood. */
export class UsableResources {
  readonly #kinds: ReadonlyMap<string, ResourceKind>;
  readonly #state: StoredState;
  /** Those of a known kind that its schema does not take any more, with their versions. */
  readonly #unusable = new Map<string, number>();

  constructor(kinds: ReadonlyMap<string, ResourceKind>, state: StoredState) {
    this.#kinds = kinds;
    this.#state = state;
  }

  /** Looks at what was stored before the start, maybe by another version, and says what is left out. */
  async check(logger: Logger): Promise<void> {
    for (const resource of this.#state.resources) {
      const { kind, name, version } = resource;
      const problems = await this.#problemsOf(resource);
      if (problems.length === 0) continue;
      this.#unusable.set(keyOf(resource), version);
      logger.error({ kind, name, version, problems }, 'A stored resource cannot be used and is left out');
    }
  }

  get(resource: ResourceName): Resource | undefined {
    const stored = this.#state.get(resource);
    return stored !== undefined && this.#isUsable(stored) ? storedResource(stored) : undefined;
  }

  all(): readonly Resource[] {
    return [...this.#state.resources].filter((stored) => this.#isUsable(stored)).map(storedResource);
  }

  #isUsable(stored: StoredResource): boolean {
    return this.#kinds.has(stored.kind) && this.#unusable.get(keyOf(stored)) !== stored.version;
  }

  /** What is wrong with a stored resource. One that was checked by the same schema before is fine, without loading the validator. */
  async #problemsOf({ kind, schema, spec }: StoredResource): Promise<readonly string[]> {
    const known = this.#kinds.get(kind);
    if (known === undefined) return ['the kind is unknown'];
    return schema === schemaFingerprint(known) ? [] : (await schemaCheckOf(known))(spec);
  }
}
