import { EMPTY, type Line, lineJson, PersistentMap, readLineJson } from '../kernel/index.ts';
import type { ResourceName, ResourceSnapshot, ResourceSpec, Resources } from './port.ts';

/** What other processes go by: which kinds, and of a snapshot nothing but their specs. */
export type ResourceSpecs = Pick<ResourceSnapshot, 'of'>;

/** What is to be told, and when. */
export interface SnapshotFeedOptions {
  readonly resources: Resources;
  readonly kinds: readonly string[];
  /** Whether the server asks for credentials by now. Only a change of resources changes it. */
  readonly asksForCredentials: () => boolean;
}

/** What has become of some resources; null for those that there are not any more. */
type ToldSpec = readonly [kind: string, name: string, spec: ResourceSpec | null];

interface ToldRules {
  readonly asksForCredentials: boolean;
  readonly specs: readonly ToldSpec[];
}

/** Tells the process at the other end of the line what the resources of these kinds are, and then what changes. */
export function serveSnapshot(line: Line, options: SnapshotFeedOptions): void {
  const { resources, kinds, asksForCredentials } = options;
  const tell = (specs: readonly ToldSpec[]): void =>
    line.tell('rules', lineJson({ asksForCredentials: asksForCredentials(), specs } satisfies ToldRules));
  let stop = (): void => {};
  line.onAsked('rules', (_question, answer) => {
    const { snapshot } = resources;
    tell(kinds.flatMap((kind) => [...snapshot.of(kind)].map(([name, spec]) => [kind, name, spec] as const)));
    stop = resources.onChange((now, { changes }) => {
      const told = changes.filter(({ kind }) => kinds.includes(kind));
      // What is in force, which is not what was stored where the config file says something else.
      if (told.length > 0) tell(told.map(({ kind, name }) => [kind, name, specOf(now, { kind, name })]));
    });
    answer(EMPTY);
  });
  line.onClosed(() => stop());
}

function specOf(snapshot: ResourceSnapshot, { kind, name }: ResourceName): ResourceSpec | null {
  return snapshot.get(kind, name)?.spec ?? null;
}

/** The resources of a server, as another process of it is told. */
export class FollowedSnapshot implements ResourceSpecs {
  readonly #specs = new Map<string, PersistentMap<ResourceSpec>>();
  #asksForCredentials = false;
  #changed: (changes: readonly ResourceName[]) => void = () => {};

  /** Resolves once it is complete. @throws TidegateError worker_unavailable */
  static follow(line: Line): Promise<FollowedSnapshot> {
    const snapshot = new FollowedSnapshot();
    line.onTold('rules', (message) => snapshot.#take(readLineJson<ToldRules>(message)));
    return new Promise((resolve, reject) => {
      line.ask('rules', EMPTY, (error) => {
        if (error === null) resolve(snapshot);
        else reject(error);
      });
    });
  }

  /** Whether the server asks for credentials, which it goes on doing when the last key is taken away. */
  get asksForCredentials(): boolean {
    return this.#asksForCredentials;
  }

  of(kind: string): ReadonlyMap<string, ResourceSpec> {
    return this.#specsOf(kind);
  }

  #specsOf(kind: string): PersistentMap<ResourceSpec> {
    return this.#specs.get(kind) ?? PersistentMap.empty();
  }

  /** Calls back whenever something of it may be other than it was, with the names of that. One listener. */
  onChange(listener: (changes: readonly ResourceName[]) => void): void {
    this.#changed = listener;
  }

  #take({ asksForCredentials, specs }: ToldRules): void {
    this.#asksForCredentials = asksForCredentials;
    // What was handed out stays as it is, and specs that stay are the same objects.
    for (const [kind, name, spec] of specs) {
      const earlier = this.#specsOf(kind);
      this.#specs.set(kind, spec === null ? earlier.without(name) : earlier.with(name, spec));
    }
    this.#changed(specs.map(([kind, name]) => ({ kind, name })));
  }
}
