import { PersistentMap } from '../kernel/index.ts';
import type { DeclaredResource, Resource, ResourceName, ResourceSnapshot, ResourceSpec } from './port.ts';
import { keyOf } from './stored-state.ts';

const byName = (a: ResourceName, b: ResourceName): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);

/** A snapshot over maps that nobody else changes. */
export class Snapshot implements ResourceSnapshot {
  readonly position: number;
  readonly #resources: PersistentMap<Resource>;
  /** Made on first use, and then kept: who follows one kind asks for it again and again. */
  readonly #specs: Map<string, PersistentMap<ResourceSpec>>;

  constructor(
    position: number,
    resources: PersistentMap<Resource> = PersistentMap.empty(),
    specs = new Map<string, PersistentMap<ResourceSpec>>(),
  ) {
    this.position = position;
    this.#resources = resources;
    this.#specs = specs;
  }

  /** Of several resources of the same name, the last one counts. */
  static of(position: number, resources: Iterable<Resource>): Snapshot {
    let all = PersistentMap.empty<Resource>();
    for (const resource of resources) all = all.with(keyOf(resource), resource);
    return new Snapshot(position, all);
  }

  of(kind: string): PersistentMap<ResourceSpec> {
    const known = this.#specs.get(kind);
    if (known !== undefined) return known;
    let specs = PersistentMap.empty<ResourceSpec>();
    for (const resource of this.#resources.values())
      if (resource.kind === kind) specs = specs.with(resource.name, resource.spec);
    this.#specs.set(kind, specs);
    return specs;
  }

  resources(kind: string): readonly Resource[] {
    const resources: Resource[] = [];
    for (const [, resource] of this.#resources.entries())
      if (resource.kind === kind) resources.push(resource);
    return resources.sort(byName);
  }

  get(kind: string, name: string): Resource | undefined {
    return this.#resources.get(keyOf({ kind, name }));
  }

  /**
   * The snapshot after a change of a few resources. It shares the rest with the one before: with thousands of routes, of which one changes
   * many times a second, making all anew would be milliseconds each time.
   * @param resourceOf what there is of a resource now; undefined if nothing is that can be used
   */
  with(
    position: number,
    changed: readonly ResourceName[],
    resourceOf: (resource: ResourceName) => Resource | undefined,
  ): Snapshot {
    let resources = this.#resources;
    const specs = new Map(this.#specs);
    for (const resource of changed) {
      const { kind, name } = resource;
      const key = keyOf(resource);
      const after = resourceOf(resource);
      resources = after === undefined ? resources.without(key) : resources.with(key, after);
      const own = specs.get(kind);
      if (own === undefined) continue;
      specs.set(kind, after === undefined ? own.without(name) : own.with(name, after.spec));
    }
    return new Snapshot(position, resources, specs);
  }
}

/** What the admin API made, as it is in force. */
export const storedResource = ({ kind, name, spec, version }: Omit<Resource, 'source'>): Resource =>
  Object.freeze({ kind, name, spec, version, source: 'stored' });

/** What the config file declares, as it is in force. */
export const declaredResource = ({ kind, name, spec }: DeclaredResource): Resource =>
  Object.freeze({ kind, name, spec, version: 0, source: 'config' });
