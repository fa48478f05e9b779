import { type Limits, TidegateError } from '../kernel/index.ts';
import type { StoredChange } from './change-set.ts';
import type { ResourceKind, ResourceName, ResourceSpec } from './port.ts';
import { isSameJson } from './same-json.ts';
import { schemaCheckOf, schemaFingerprint } from './schema-check.ts';
import { meantSpec } from './secret-members.ts';
import type { Snapshot } from './snapshot.ts';
import { keyOf, resourceBytes, type StoredState } from './stored-state.ts';

/** A change that somebody asks for. */
export interface RequestedChange extends ResourceName {
  /** Null deletes. */
  readonly spec: ResourceSpec | null;
  /** The version that it must be a change of, 0 for a resource that must not be there; null for whatever there is. */
  readonly expects: number | null;
}

/** What a change would do, or did. */
export interface Difference extends ResourceName {
  readonly action: 'create' | 'update' | 'delete' | 'unchanged';
  /** Null if there was none. */
  readonly before: ResourceSpec | null;
  /** Null if there is none any more. */
  readonly after: ResourceSpec | null;
}

/** Changes that have been found good: what they come to, and what is to be stored for it. */
export interface Plan {
  readonly differences: readonly Difference[];
  /** Empty if nothing would change. */
  readonly changes: readonly StoredChange[];
}

/** Against what changes are checked. */
export interface PlanContext {
  readonly kinds: ReadonlyMap<string, ResourceKind>;
  readonly snapshot: Snapshot;
  readonly state: StoredState;
  readonly limits: Limits;
}

/** A resource as messages name it. */
export const named = ({ kind, name }: ResourceName): string => `${kind} ${JSON.stringify(name)}`;

/** @throws TidegateError resource_kind_unknown */
export function kindOf(kinds: ReadonlyMap<string, ResourceKind>, kind: string): ResourceKind {
  const known = kinds.get(kind);
  if (known !== undefined) return known;
  const all = [...kinds.keys()].join(', ');
  throw new TidegateError('resource_kind_unknown', `${JSON.stringify(kind)} is none of ${all}.`);
}

/** @throws TidegateError resource_conflict */
export function refuseConflict(resource: ResourceName, version: number, expects: number): never {
  const is = version === 0 ? 'is not there' : `has version ${version}`;
  const was = expects === 0 ? 'was expected not to be there' : `version ${expects} was expected`;
  throw new TidegateError('resource_conflict', `The ${named(resource)} ${is}; ${was}.`);
}

/** The specs that are not valid, each with what is wrong, as one error. @throws TidegateError resource_kind_unknown, resource_invalid */
export async function checkSpecs(
  changes: readonly Pick<RequestedChange, 'kind' | 'name' | 'spec'>[],
  context: Pick<PlanContext, 'kinds'>,
): Promise<void> {
  const problems: string[] = [];
  for (const change of changes) {
    const kind = kindOf(context.kinds, change.kind);
    if (change.spec === null) continue;
    if (!new RegExp(kind.namePattern).test(change.name))
      problems.push(`The ${named(change)} cannot be named so: names match ${kind.namePattern}`);
    const check = await schemaCheckOf(kind);
    for (const problem of check(change.spec)) problems.push(`The ${named(change)}: ${problem}`);
  }
  if (problems.length > 0) throw new TidegateError('resource_invalid', `${problems.join('.\n')}.`);
}

function checkNames(changes: readonly RequestedChange[], { snapshot, state }: PlanContext): void {
  const seen = new Set<string>();
  for (const change of changes) {
    const key = keyOf(change);
    if (seen.has(key)) throw new TidegateError('resource_invalid', `The ${named(change)} is there twice.`);
    seen.add(key);
    if (snapshot.get(change.kind, change.name)?.source === 'config')
      throw new TidegateError('resource_read_only', `It is the ${named(change)}.`);
    const version = state.get(change)?.version ?? 0;
    if (change.expects !== null && change.expects !== version)
      refuseConflict(change, version, change.expects);
    if (change.spec === null && version === 0)
      throw new TidegateError('resource_unknown', `It would be the ${named(change)}.`);
  }
}

/** All resources of a kind as they would be. */
function proposedOf(
  kind: string,
  differences: readonly Difference[],
  snapshot: Snapshot,
): ReadonlyMap<string, ResourceSpec> {
  let proposed = snapshot.of(kind);
  for (const { name, after, ...difference } of differences) {
    if (difference.kind !== kind || difference.action === 'unchanged') continue;
    proposed = after === null ? proposed.without(name) : proposed.with(name, after);
  }
  return proposed;
}

/** What the kinds have to say about all their resources together, as they would be. @throws TidegateError what `ResourceKind.check` throws */
export function checkTogether(
  differences: readonly Difference[],
  { kinds, snapshot }: Pick<PlanContext, 'kinds' | 'snapshot'>,
): void {
  const proposals = new Map<string, ReadonlyMap<string, ResourceSpec>>();
  const of = (kind: string): ReadonlyMap<string, ResourceSpec> => {
    const proposed = proposals.get(kind) ?? proposedOf(kind, differences, snapshot);
    proposals.set(kind, proposed);
    return proposed;
  };
  for (const kind of kinds.values()) {
    const own = differences.filter(
      (difference) => difference.kind === kind.kind && difference.action !== 'unchanged',
    );
    if (own.length === 0 || kind.check === undefined) continue;
    const changed = own.filter(({ after }) => after !== null).map(({ name }) => name);
    const removed = own.filter(({ after }) => after === null).map(({ name }) => name);
    const before = (name: string): ResourceSpec | undefined => snapshot.of(kind.kind).get(name);
    kind.check(of(kind.kind), changed, { removed, before, of });
  }
}

function checkSize(differences: readonly Difference[], { state, limits }: PlanContext): void {
  let { bytes } = state;
  for (const { kind, name, before, after } of differences) {
    if (before !== null) bytes -= resourceBytes({ kind, name, spec: before });
    if (after !== null) bytes += resourceBytes({ kind, name, spec: after });
  }
  if (bytes > limits.resourcesBytesMax && bytes > state.bytes) {
    const bound = `limits.resourcesBytesMax = ${limits.resourcesBytesMax}`;
    throw new TidegateError('resources_too_large', `They would have ${bytes} bytes; ${bound}.`);
  }
}

/**
 * Finds out what changes come to, all together, and whether they may be made. Nothing is stored yet.
 * @throws TidegateError resource_kind_unknown, resource_unknown, resource_invalid, resource_read_only, resource_conflict,
 *   resources_too_large, and what `ResourceKind.check` throws
 */
export async function planChanges(
  requested: readonly RequestedChange[],
  context: PlanContext,
): Promise<Plan> {
  await checkSpecs(requested, context);
  checkNames(requested, context);
  const differences = requested.map(({ kind, name, spec }): Difference => {
    const known = kindOf(context.kinds, kind);
    const before = context.state.get({ kind, name })?.spec ?? null;
    const after = spec === null ? null : known.complete(name, meantSpec(known, spec, before));
    const changed = before === null ? 'create' : after === null ? 'delete' : 'update';
    return { kind, name, action: isSameJson(before, after) ? 'unchanged' : changed, before, after };
  });
  checkTogether(differences, context);
  checkSize(differences, context);
  const changes = differences
    .filter(({ action }) => action !== 'unchanged')
    .map(({ kind, name, after }): StoredChange => {
      const known = kindOf(context.kinds, kind);
      const expects = context.state.get({ kind, name })?.version ?? 0;
      return after === null
        ? { kind, name, expects, spec: null, schema: '', mark: known.mark?.(name) ?? null }
        : { kind, name, expects, spec: after, schema: schemaFingerprint(known), mark: null };
    });
  return { differences, changes };
}
