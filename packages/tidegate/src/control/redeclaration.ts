import type { TidegateError } from '../kernel/index.ts';
import type { Declarations } from './declarations.ts';
import { checkTogether, type Difference } from './plan.ts';
import type { Resource, ResourceChange, ResourceKind, ResourceName } from './port.ts';
import { isSameJson } from './same-json.ts';
import { declaredResource, type Snapshot } from './snapshot.ts';
import { keyOf } from './stored-state.ts';
import type { UsableResources } from './usable-resources.ts';

/** What another reading of the config file comes to. */
export interface Redeclaration {
  /** What changes of what is in force; what stays as it is, is not there. */
  readonly differences: readonly Difference[];
  /** Stored resources that had been in force and are hidden by the file from now on. */
  readonly hidden: readonly ResourceName[];
  /** What kept a resource from taking effect, although it is in the snapshot; it is tried again with the next change. Null if nothing did. */
  readonly failure: TidegateError | null;
}

/** A redeclaration that has been found good, and what to do for it. */
export interface RedeclarationPlan extends Omit<Redeclaration, 'failure'> {
  /** What is in force then, of each resource that is declared in another way than before; undefined if there is none. */
  readonly inForce: ReadonlyMap<string, Resource | undefined>;
  /** The same resources by name. */
  readonly touched: readonly ResourceName[];
  /** What those are told who follow: only what has another spec, or is new or gone. */
  readonly changes: readonly ResourceChange[];
}

export interface RedeclarationContext {
  readonly kinds: ReadonlyMap<string, ResourceKind>;
  readonly snapshot: Snapshot;
  readonly stored: Pick<UsableResources, 'get'>;
}

/** What is in force when the file says `declared`: that, or what is stored under the name. A spec that stays is the same object as before. */
function afterwards(
  declared: Resource | undefined,
  stored: Resource | undefined,
  before: Resource | undefined,
): Resource | undefined {
  const after = declared ?? stored;
  if (after === undefined || before === undefined || after.spec === before.spec) return after;
  // One of the file before has been compared already.
  return before.source === 'stored' && declared !== undefined && isSameJson(after.spec, before.spec)
    ? declaredResource({ ...declared, spec: before.spec })
    : after;
}

const actionOf = (before: Resource | undefined, after: Resource | undefined): Difference['action'] => {
  if (before?.spec === after?.spec) return 'unchanged';
  return before === undefined ? 'create' : after === undefined ? 'delete' : 'update';
};

/**
 * Finds out what it comes to that the config file declares `later` in place of `earlier`, and whether it may: with the stored resources that are
 * in force then, everything has to be as a change of stored resources would have it.
 * @throws TidegateError what `ResourceKind.check` throws
 */
export function planRedeclaration(
  earlier: Declarations,
  later: Declarations,
  { kinds, snapshot, stored: storedResources }: RedeclarationContext,
): RedeclarationPlan {
  const touched: ResourceName[] = [
    ...later.resources.filter((resource) => earlier.get(resource) !== resource),
    ...earlier.resources.filter((resource) => later.get(resource) === undefined),
  ].map(({ kind, name }) => ({ kind, name }));
  const inForce = new Map<string, Resource | undefined>();
  const differences: Difference[] = [];
  const changes: ResourceChange[] = [];
  const hidden: ResourceName[] = [];
  for (const resource of touched) {
    const { kind, name } = resource;
    const before = snapshot.get(kind, name);
    const stored = storedResources.get(resource);
    const after = afterwards(later.get(resource), stored, before);
    inForce.set(keyOf(resource), after);
    if (before?.source === 'stored' && after?.source === 'config') hidden.push(resource);
    const action = actionOf(before, after);
    if (action === 'unchanged') continue;
    differences.push({ kind, name, action, before: before?.spec ?? null, after: after?.spec ?? null });
    changes.push({ kind, name, spec: after?.spec ?? null, version: after?.version ?? 0 });
  }
  checkTogether(differences, { kinds, snapshot });
  return { differences, hidden, inForce, touched, changes };
}
