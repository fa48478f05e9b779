import { TidegateError } from '../kernel/index.ts';
import { named } from './plan.ts';
import type { ObservedThing, Resource, ResourceKind, ResourceSnapshot, ResourceSpec } from './port.ts';
import { shownSpec } from './secret-members.ts';

/** A resource as the admin API shows it: without secrets. */
export interface ResourceView {
  readonly kind: string;
  readonly name: string;
  readonly spec: ResourceSpec;
  /** 0 for what is not stored. */
  readonly version: number;
  /** `undeclared`: nobody declares it any more, but it is there. */
  readonly source: 'config' | 'stored' | 'undeclared';
  /** Left out of kinds that have none, and of what has not been put into effect. */
  readonly status?: unknown;
}

function viewOf(
  kind: ResourceKind,
  name: string,
  resource: Resource | undefined,
  thing: ObservedThing | undefined,
): ResourceView {
  const status = thing === undefined ? {} : { status: thing.status };
  if (resource !== undefined) {
    const { spec, version, source } = resource;
    return { kind: kind.kind, name, spec: shownSpec(kind, spec), version, source, ...status };
  }
  const spec = shownSpec(kind, thing?.spec ?? {});
  return { kind: kind.kind, name, spec, version: 0, source: 'undeclared', ...status };
}

/** Everything of a kind by name: what is declared, and what is there all the same. */
export function viewKind(kind: ResourceKind, snapshot: ResourceSnapshot): readonly ResourceView[] {
  const things = kind.observed?.() ?? new Map<string, ObservedThing>();
  const names = new Set([...things.keys(), ...snapshot.of(kind.kind).keys()]);
  return [...names]
    .sort((a, b) => (a < b ? -1 : 1))
    .map((name) => viewOf(kind, name, snapshot.get(kind.kind, name), things.get(name)));
}

/** @throws TidegateError resource_unknown, or the kind's own code */
export function viewResource(kind: ResourceKind, name: string, snapshot: ResourceSnapshot): ResourceView {
  const resource = snapshot.get(kind.kind, name);
  const thing = kind.observed?.().get(name);
  if (resource === undefined && thing === undefined) {
    const detail =
      kind.unknownCode === undefined
        ? `It would be the ${named({ kind: kind.kind, name })}.`
        : JSON.stringify(name);
    throw new TidegateError(kind.unknownCode ?? 'resource_unknown', detail);
  }
  return viewOf(kind, name, resource, thing);
}
