import { Buffer } from 'node:buffer';
import type { ChangeSet, Removal, StoredResource } from './change-set.ts';
import type { ResourceChange, ResourceName } from './port.ts';

/** What a change set did: its changes, or nothing, because a resource was not what it expected. */
export type FoldOutcome =
  | {
      readonly kind: 'applied';
      readonly changes: readonly ResourceChange[];
      readonly removals: readonly Removal[];
    }
  | { readonly kind: 'conflict'; readonly resource: ResourceName; readonly version: number };

/** The key of a resource in a map. No kind has a slash. */
export const keyOf = ({ kind, name }: ResourceName): string => `${kind}/${name}`;

/** What stands around a resource in a snapshot record, at most. */
const RESOURCE_OVERHEAD_BYTES = 128;

/** What a resource counts towards `limits.resourcesBytesMax`. */
export const resourceBytes = ({ kind, name, spec }: Pick<StoredResource, 'kind' | 'name' | 'spec'>): number =>
  RESOURCE_OVERHEAD_BYTES + kind.length + name.length + Buffer.byteLength(JSON.stringify(spec));

/**
 * The stored resources, as the records make them: the same records in the same order give the same state everywhere. Knows no
 * kinds: what a later version stored is kept.
 */
export class StoredState {
  readonly #resources = new Map<string, StoredResource>();
  #bytes = 0;

  /** All of them together, as `resourceBytes` counts. */
  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#resources.size;
  }

  get resources(): Iterable<StoredResource> {
    return this.#resources.values();
  }

  get(resource: ResourceName): StoredResource | undefined {
    return this.#resources.get(keyOf(resource));
  }

  /** Takes the place of everything by what a snapshot holds. */
  reset(resources: readonly StoredResource[]): void {
    this.#resources.clear();
    this.#bytes = 0;
    for (const resource of resources) this.#set(resource);
  }

  /** The first change whose expectation fails, or undefined. */
  conflictOf(changes: ChangeSet['changes']): ResourceName | undefined {
    return changes.find((change) => (this.get(change)?.version ?? 0) !== change.expects);
  }

  /** Takes in the change set that ends at `position`, if all that it expects is so. */
  fold({ changes }: ChangeSet, position: number): FoldOutcome {
    const resource = this.conflictOf(changes);
    if (resource !== undefined)
      return { kind: 'conflict', resource, version: this.get(resource)?.version ?? 0 };
    const removals: Removal[] = [];
    for (const { kind, name, spec, schema, mark } of changes) {
      this.#delete({ kind, name });
      if (spec !== null) this.#set({ kind, name, spec, version: position, schema });
      else if (mark !== null) removals.push({ kind, name, mark });
    }
    return {
      kind: 'applied',
      changes: changes.map(({ kind, name, spec }) => ({ kind, name, spec, version: position })),
      removals,
    };
  }

  #set(resource: StoredResource): void {
    this.#resources.set(keyOf(resource), deepFreeze(resource));
    this.#bytes += resourceBytes(resource);
  }

  #delete(name: ResourceName): void {
    const known = this.get(name);
    if (known === undefined) return;
    this.#resources.delete(keyOf(name));
    this.#bytes -= resourceBytes(known);
  }
}

/** Specs are handed to everybody; nobody may change them. */
export function deepFreeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    for (const member of Object.values(value)) deepFreeze(member);
    Object.freeze(value);
  }
  return value;
}
