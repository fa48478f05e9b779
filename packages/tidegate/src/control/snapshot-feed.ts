import { EMPTY, type Line, lineJson, readLineJson } from '../kernel/index.ts';
import type { ResourceSnapshot, ResourceSpec, Resources } from './port.ts';

/** What other processes go by: which kinds, and of a snapshot nothing but their specs. */
export type ResourceSpecs = Pick<ResourceSnapshot, 'of'>;

/** All specs of one kind. */
interface ToldKind {
  readonly kind: string;
  readonly specs: readonly (readonly [name: string, spec: ResourceSpec])[];
}

/** Tells the process at the other end of the line what the resources of these kinds are, and what they become. */
export function serveSnapshot(line: Line, resources: Resources, kinds: readonly string[]): void {
  const tell = (kind: string): void =>
    line.tell('rules', lineJson({ kind, specs: [...resources.snapshot.of(kind)] } satisfies ToldKind));
  let stop = (): void => {};
  line.onAsked('rules', (_question, answer) => {
    for (const kind of kinds) tell(kind);
    stop = resources.onChange((_snapshot, { changes }) => {
      for (const kind of new Set(changes.map((change) => change.kind))) if (kinds.includes(kind)) tell(kind);
    });
    answer(EMPTY);
  });
  line.onClosed(() => stop());
}

const NO_SPECS: ReadonlyMap<string, ResourceSpec> = new Map();

/** The resources of a server, as another process of it is told. */
export class FollowedSnapshot implements ResourceSpecs {
  readonly #specs = new Map<string, ReadonlyMap<string, ResourceSpec>>();
  #changed: (kind: string) => void = () => {};

  /** Resolves once it is complete. @throws TidegateError worker_unavailable */
  static follow(line: Line): Promise<FollowedSnapshot> {
    const snapshot = new FollowedSnapshot();
    line.onTold('rules', (message) => {
      const { kind, specs } = readLineJson<ToldKind>(message);
      snapshot.#specs.set(kind, new Map(specs));
      snapshot.#changed(kind);
    });
    return new Promise((resolve, reject) => {
      line.ask('rules', EMPTY, (error) => {
        if (error === null) resolve(snapshot);
        else reject(error);
      });
    });
  }

  of(kind: string): ReadonlyMap<string, ResourceSpec> {
    return this.#specs.get(kind) ?? NO_SPECS;
  }

  /** Calls back with the kind whenever the resources of one are others. One listener. */
  onChange(listener: (kind: string) => void): void {
    this.#changed = listener;
  }
}
