import type { DeclaredResource, Resource, ResourceName, ResourceSnapshot, ResourceSpec } from './port.ts';
import { keyOf } from './stored-state.ts';

const byName = (a: ResourceName, b: ResourceName): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);

const NO_SPECS: ReadonlyMap<string, ResourceSpec> = new Map();

/** A snapshot over maps that nobody else holds. */
export class Snapshot implements ResourceSnapshot {
  readonly position: number;
  readonly #resources: ReadonlyMap<string, Resource>;
  /** Made on first use, and then kept: who follows one kind asks for it again and again. */
  readonly #specs = new Map<string, ReadonlyMap<string, ResourceSpec>>();

  constructor(position: number, resources: ReadonlyMap<string, Resource>) {
    this.position = position;
    this.#resources = resources;
  }

  of(kind: string): ReadonlyMap<string, ResourceSpec> {
    const known = this.#specs.get(kind);
    if (known !== undefined) return known;
    const specs = new Map(this.resources(kind).map(({ name, spec }) => [name, spec]));
    this.#specs.set(kind, specs.size === 0 ? NO_SPECS : specs);
    return specs;
  }

  resources(kind: string): readonly Resource[] {
    return [...this.#resources.values()].filter((resource) => resource.kind === kind).sort(byName);
  }

  get(kind: string, name: string): Resource | undefined {
    return this.#resources.get(keyOf({ kind, name }));
  }
}

/** The config file's resources and the stored ones in one map. Of the same name, the config file's wins. */
export function mergeResources(
  declared: readonly DeclaredResource[],
  stored: Iterable<Omit<Resource, 'source'>>,
): ReadonlyMap<string, Resource> {
  const merged = new Map<string, Resource>();
  for (const { kind, name, spec, version } of stored)
    merged.set(keyOf({ kind, name }), Object.freeze({ kind, name, spec, version, source: 'stored' }));
  for (const { kind, name, spec } of declared)
    merged.set(keyOf({ kind, name }), Object.freeze({ kind, name, spec, version: 0, source: 'config' }));
  return merged;
}
