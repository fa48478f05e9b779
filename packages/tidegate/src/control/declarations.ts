import type { Clock } from '../kernel/index.ts';
import { checkSpecs } from './plan.ts';
import type { DeclaredResource, Resource, ResourceKind, ResourceName, ResourceSpec } from './port.ts';
import { isSameJson } from './same-json.ts';
import { declaredResource } from './snapshot.ts';
import { deepFreeze, keyOf } from './stored-state.ts';

/** After so many resources the event loop has its turn: comparing and completing that many takes a few milliseconds. */
const SLICE_LENGTH = 100;

type Kinds = ReadonlyMap<string, ResourceKind>;

interface Declaration {
  /** The spec as the file says it. */
  readonly given: ResourceSpec;
  /** The same with every default. */
  readonly resource: Resource;
}

/** The resources of the config file, as one reading of it found them. Immutable. */
export class Declarations {
  readonly #kinds: Kinds;
  readonly #declarations: ReadonlyMap<string, Declaration>;

  private constructor(kinds: Kinds, declarations: ReadonlyMap<string, Declaration>) {
    this.#kinds = kinds;
    this.#declarations = declarations;
  }

  /** @param declared must be valid */
  static of(kinds: Kinds, declared: readonly DeclaredResource[]): Declarations {
    const none = new Declarations(kinds, new Map());
    return new Declarations(
      kinds,
      new Map(declared.map((resource) => [keyOf(resource), none.#complete(resource)])),
    );
  }

  /** In the order of the file. */
  get resources(): readonly Resource[] {
    return [...this.#declarations.values()].map(({ resource }) => resource);
  }

  get(resource: ResourceName): Resource | undefined {
    return this.#declarations.get(keyOf(resource))?.resource;
  }

  /**
   * Those of a later reading. What comes to the same is the same object as before, so that nobody takes it for a change.
   * @throws TidegateError resource_kind_unknown, resource_invalid
   */
  async next(declared: readonly DeclaredResource[], clock: Clock): Promise<Declarations> {
    const known = new Map<string, Declaration>();
    const others: DeclaredResource[] = [];
    await inSlices(declared, clock, (resource) => {
      const before = this.#declarations.get(keyOf(resource));
      // What was given before has been checked before.
      if (before !== undefined && isSameJson(before.given, resource.spec)) known.set(keyOf(resource), before);
      else others.push(resource);
    });
    await checkSpecs(others, { kinds: this.#kinds });
    await inSlices(others, clock, (resource) => void known.set(keyOf(resource), this.#complete(resource)));
    // Put into effect in the order of the file.
    const inOrder = declared.map((resource) => {
      const key = keyOf(resource);
      return [key, known.get(key)!] as const;
    });
    return new Declarations(this.#kinds, new Map(inOrder));
  }

  #complete({ kind, name, spec: given }: DeclaredResource): Declaration {
    const before = this.#declarations.get(keyOf({ kind, name }));
    const spec = deepFreeze(this.#kinds.get(kind)?.complete(name, given) ?? given);
    const isUnchanged = before !== undefined && isSameJson(before.resource.spec, spec);
    const resource = isUnchanged ? before.resource : declaredResource({ kind, name, spec });
    return { given: deepFreeze(given), resource };
  }
}

async function inSlices<Item>(
  items: readonly Item[],
  clock: Clock,
  visit: (item: Item) => void,
): Promise<void> {
  for (let from = 0; from < items.length; from += SLICE_LENGTH) {
    if (from > 0) await new Promise<void>((resolve) => clock.endOfTurn(resolve));
    for (const item of items.slice(from, from + SLICE_LENGTH)) visit(item);
  }
}
