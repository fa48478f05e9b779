import { Buffer } from 'node:buffer';
import { TidegateError } from '../kernel/index.ts';
import type { ResourceName, ResourceSpec } from './port.ts';

/*
 * What stands in the topic `_resources`. Both are JSON objects in UTF-8, in one record each or in several (record-parts.ts):
 *
 *   change set (key "change"):   {"format":1,"id","who","at","changes":[{"kind","name","expects","schema","spec"|"mark"},…]}
 *   snapshot   (key "snapshot"): {"format":1,"through","resources":[{"kind","name","version","schema","spec"},…],
 *                              "removals":[{"kind","name","mark"},…]}
 *
 * `expects` is the version that the resource has to have for the change set to count; 0 says that there is none. A change with
 * `spec` sets it, one without deletes. `schema` is the fingerprint of the schema that the spec was checked by.
 */

/** The format of the records that this version writes, and the only one that it reads. */
export const RECORD_FORMAT = 1;

/** The record keys, which say what a record is. */
export const CHANGE_KEY = 'change';
export const SNAPSHOT_KEY = 'snapshot';

/** One change as it is stored. */
export interface StoredChange extends ResourceName {
  /** The version that it is a change of; 0 for a resource that must not be there. */
  readonly expects: number;
  /** Null deletes. */
  readonly spec: ResourceSpec | null;
  /** The fingerprint of the schema that the spec was checked by; empty if it is not known. */
  readonly schema: string;
  /** Of a deletion: what `ResourceKind.mark` said of the thing that goes with it; null for nothing. */
  readonly mark: string | null;
}

/** All changes of one request: they take effect together or not at all. */
export interface ChangeSet {
  readonly id: string;
  readonly who: string;
  readonly atMs: number;
  readonly changes: readonly StoredChange[];
}

/** A resource as it is stored, whether or not this version knows its kind. */
export interface StoredResource extends ResourceName {
  readonly spec: ResourceSpec;
  readonly version: number;
  /** As in `StoredChange`. */
  readonly schema: string;
}

/** A deletion that may still have to be carried out. */
export interface Removal extends ResourceName {
  readonly mark: string;
}

/** All stored resources at one position. */
export interface StoredSnapshot {
  /** What came before this offset is in it; reading goes on from there. */
  readonly through: number;
  readonly resources: readonly StoredResource[];
  /** Deletions that had not been carried out. */
  readonly removals: readonly Removal[];
}

export function encodeChangeSet({ id, who, atMs, changes }: ChangeSet): Buffer {
  const at = new Date(atMs).toISOString();
  const stored = changes.map(({ kind, name, expects, schema, spec, mark }) =>
    spec === null
      ? { kind, name, expects, ...(mark === null ? {} : { mark }) }
      : { kind, name, expects, schema, spec },
  );
  return Buffer.from(JSON.stringify({ format: RECORD_FORMAT, id, who, at, changes: stored }));
}

export function encodeSnapshot({ through, resources, removals }: StoredSnapshot): Buffer {
  const stored = resources.map(({ kind, name, version, schema, spec }) => ({
    kind,
    name,
    version,
    schema,
    spec,
  }));
  return Buffer.from(JSON.stringify({ format: RECORD_FORMAT, through, resources: stored, removals }));
}

type Members = Readonly<Record<string, unknown>>;

const isMembers = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isText = (value: unknown): value is string => typeof value === 'string';

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/** Where a record stands, for errors. */
const place = (offset: number): string => `offset ${offset} of the topic _resources`;

const damaged = (offset: number, what: string): TidegateError =>
  new TidegateError('resources_damaged', `The record at ${place(offset)} ${what}.`);

function parse(bytes: Uint8Array, offset: number): Members {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new TidegateError('resources_damaged', `The record at ${place(offset)} is not JSON.`, {
      cause: error,
    });
  }
  if (!isMembers(value) || !isCount(value.format)) throw damaged(offset, 'names no format');
  if (value.format !== RECORD_FORMAT) {
    throw new TidegateError(
      'resources_version_unsupported',
      `The record at ${place(offset)} has the format ${value.format}; this version reads ${RECORD_FORMAT}.`,
    );
  }
  return value;
}

/** @throws TidegateError resources_damaged, resources_version_unsupported */
export function decodeChangeSet(bytes: Uint8Array, offset: number): ChangeSet {
  const { id, who, at, changes } = parse(bytes, offset);
  const atMs = isText(at) ? Date.parse(at) : Number.NaN;
  if (!isText(id) || !isText(who) || Number.isNaN(atMs) || !Array.isArray(changes))
    throw damaged(offset, 'is not a change set');
  return { id, who, atMs, changes: changes.map((change: unknown) => decodeChange(change, offset)) };
}

function decodeChange(change: unknown, offset: number): StoredChange {
  if (isMembers(change)) {
    const { kind, name, expects, schema = '', spec = null, mark = null } = change;
    const isSpec = spec === null || isMembers(spec);
    const isMark = mark === null || isText(mark);
    if (isText(kind) && isText(name) && isCount(expects) && isText(schema) && isSpec && isMark)
      return { kind, name, expects, schema, spec, mark };
  }
  throw damaged(offset, 'has a change that is none');
}

/** @throws TidegateError resources_damaged, resources_version_unsupported */
export function decodeSnapshot(bytes: Uint8Array, offset: number): StoredSnapshot {
  const { through, resources, removals } = parse(bytes, offset);
  if (!isCount(through) || through > offset || !Array.isArray(resources) || !Array.isArray(removals))
    throw damaged(offset, 'is not a snapshot');
  return {
    through,
    resources: resources.map((resource: unknown) => {
      if (isMembers(resource)) {
        const { kind, name, version, schema = '', spec } = resource;
        if (isText(kind) && isText(name) && isCount(version) && isText(schema) && isMembers(spec))
          return { kind, name, version, schema, spec };
      }
      throw damaged(offset, 'has a resource that is none');
    }),
    removals: removals.map((removal: unknown) => {
      if (isMembers(removal)) {
        const { kind, name, mark } = removal;
        if (isText(kind) && isText(name) && isText(mark)) return { kind, name, mark };
      }
      throw damaged(offset, 'has a removal that is none');
    }),
  };
}
