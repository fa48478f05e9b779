import type { JSONSchema } from 'json-schema-to-ts';
import type { ErrorCode } from '../kernel/index.ts';

/** What names a resource: its kind, and a name that is unique within the kind. */
export interface ResourceName {
  readonly kind: string;
  readonly name: string;
}

/** What a resource says, in the words of its kind's schema. Immutable. */
export type ResourceSpec = Readonly<Record<string, unknown>>;

/** What somebody wants a resource to be. */
export interface DeclaredResource extends ResourceName {
  readonly spec: ResourceSpec;
}

/** Where a resource comes from: the config file, which is read-only at run time, or the admin API. */
export type ResourceSource = 'config' | 'stored';

/** A resource that is in force. Immutable. */
export interface Resource extends DeclaredResource {
  /**
   * The position of the change that made it what it is: it grows with every change and is never used again, not even by a
   * resource that is deleted and made anew. 0 for what the config file declares.
   */
  readonly version: number;
  readonly source: ResourceSource;
}

/** All resources in force at one position. Immutable, and replaced as a whole. */
export interface ResourceSnapshot {
  /** How far the stored changes are in it: one past the last one. 0 while nothing was ever stored. */
  readonly position: number;
  /** The specs of one kind by name, in no particular order; empty if there is none. */
  of(kind: string): ReadonlyMap<string, ResourceSpec>;
  /** Every resource of one kind, by name. */
  resources(kind: string): readonly Resource[];
  get(kind: string, name: string): Resource | undefined;
}

/** What became of one resource in a change that took effect. */
export interface ResourceChange extends ResourceName {
  /** Null if it was deleted. */
  readonly spec: ResourceSpec | null;
  /** The version that it has now; of a deleted one, the position of its deletion. */
  readonly version: number;
}

/** A change set that took effect. */
export interface AppliedChangeSet {
  /** The position after it. */
  readonly position: number;
  readonly id: string;
  /** Names the credential of who did it; empty for nobody in particular. */
  readonly who: string;
  /** When, in milliseconds since the Unix epoch. */
  readonly atMs: number;
  readonly changes: readonly ResourceChange[];
}

/** Told in the turn in which a snapshot was replaced, with what changed. Must not throw. */
export type ResourceListener = (snapshot: ResourceSnapshot, applied: AppliedChangeSet) => void;

/** The resources as other parts of the server follow them. */
export interface Resources {
  /** What is in force now. */
  readonly snapshot: ResourceSnapshot;
  /** Calls `listener` after each change from now on; the returned function ends it. */
  onChange(listener: ResourceListener): () => void;
}

/** What there is of a kind, whether or not anybody declares it. */
export interface ObservedThing {
  /** What it is, in the words of the kind's schema. */
  readonly spec: ResourceSpec;
  /** What else can be said of it; plain JSON. */
  readonly status: unknown;
}

/** What else would be so, besides the resources of the kind that is asked. */
export interface ProposedChanges {
  /** The names of the kind that would be gone. */
  readonly removed: readonly string[];
  /** A resource of the kind as it is now; undefined if there is none. */
  before(name: string): ResourceSpec | undefined;
  /** All resources of another kind, as they would be. */
  of(kind: string): ReadonlyMap<string, ResourceSpec>;
}

/**
 * A kind of resource, as the folder that brings it describes it. All that is general (storing, merging, the admin API, the
 * commands, the documentation) follows from it.
 */
export interface ResourceKind {
  /** A word in lower case, singular: `topic`. */
  readonly kind: string;
  /** What it is, in a sentence. */
  readonly description: string;
  /** A regular expression for the names, anchored. */
  readonly namePattern: string;
  /** What a spec may be; JSON Schema without references. */
  readonly schema: Exclude<JSONSchema, boolean>;
  /** The spec with every default filled in, so that a later version's defaults change nothing that exists. Only for valid specs. */
  complete(name: string, spec: ResourceSpec): ResourceSpec;
  /**
   * Refuses what a schema cannot: called before anything is stored, with all resources of the kind as they would be.
   * @param changed the names whose spec is another one now
   * @throws TidegateError of any code of a client
   */
  check?(
    proposed: ReadonlyMap<string, ResourceSpec>,
    changed: readonly string[],
    others: ProposedChanges,
  ): void;
  /** Makes it so. Called at the start and after each change, and again after a failure: what is so already costs nothing. */
  apply?(name: string, spec: ResourceSpec): Promise<void>;
  /**
   * What tells the thing that a deletion means from a later one of the same name; stored with the deletion. Null if there is
   * nothing to remove.
   */
  mark?(name: string): string | null;
  /** Removes what `mark` told of; nothing if that is gone. Called after a deletion, and at the start for recent ones. */
  remove?(name: string, mark: string): Promise<void>;
  /** What there is, by name: shown as `status` of what is declared, and by itself where nobody declares it any more. */
  observed?(): ReadonlyMap<string, ObservedThing>;
  /** The error for a name that there is not; `resource_unknown` unless given. */
  readonly unknownCode?: ErrorCode;
}
