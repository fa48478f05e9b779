import { MASKED_SECRET } from '../kernel/index.ts';
import type { Difference } from './plan.ts';
import type { ResourceKind, ResourceSpec } from './port.ts';
import { isSameJson } from './same-json.ts';

/** In place of a secret that takes the place of another. */
const OTHER_SECRET = '(another secret)';

type Path = readonly string[];

const pathsOf = new WeakMap<object, readonly Path[]>();

/** Where the specs of a kind have secrets: members of which the schema says `writeOnly` (JSON Schema, validation, section 9.4). */
function secretPaths({ schema }: Pick<ResourceKind, 'schema'>): readonly Path[] {
  let paths = pathsOf.get(schema);
  if (paths === undefined) {
    paths = pathsBelow(schema, []);
    pathsOf.set(schema, paths);
  }
  return paths;
}

function pathsBelow(schema: unknown, path: Path): readonly Path[] {
  const { writeOnly, properties } = schema as {
    readonly writeOnly?: boolean;
    readonly properties?: Readonly<Record<string, unknown>>;
  };
  if (writeOnly === true) return [path];
  return Object.entries(properties ?? {}).flatMap(([name, member]) => pathsBelow(member, [...path, name]));
}

function memberAt(value: unknown, [name, ...rest]: Path): unknown {
  if (name === undefined || typeof value !== 'object' || value === null)
    return name === undefined ? value : undefined;
  return memberAt((value as ResourceSpec)[name], rest);
}

/** The same with another member; shares what is beside it. */
function withMember(value: unknown, [name, ...rest]: Path, member: unknown): unknown {
  if (name === undefined) return member;
  const members = value as ResourceSpec;
  return { ...members, [name]: withMember(members[name], rest, member) };
}

/** A spec as it is shown: every secret is masked, and what has none is the same object. */
export function shownSpec(
  kind: Pick<ResourceKind, 'schema'>,
  spec: ResourceSpec,
  mask = MASKED_SECRET,
): ResourceSpec {
  let shown = spec;
  for (const path of secretPaths(kind)) {
    if (memberAt(spec, path) !== undefined) shown = withMember(shown, path, mask) as ResourceSpec;
  }
  return shown;
}

/** A difference as it is shown: also that a secret is another one, but not which. */
export function shownDifference(kind: ResourceKind | undefined, difference: Difference): Difference {
  const { before, after } = difference;
  if (kind === undefined) return difference;
  let shown = after === null ? null : shownSpec(kind, after);
  for (const path of before === null || shown === null ? [] : secretPaths(kind)) {
    const [earlier, later] = [memberAt(before, path), memberAt(after, path)];
    if (earlier !== undefined && later !== undefined && !isSameJson(earlier, later))
      shown = withMember(shown, path, OTHER_SECRET) as ResourceSpec;
  }
  return { ...difference, before: before === null ? null : shownSpec(kind, before), after: shown };
}

/** A spec as it is meant: where a secret is masked, the one that is stored. A mask that stands for nothing stays, and is refused. */
export function meantSpec(kind: ResourceKind, spec: ResourceSpec, stored: ResourceSpec | null): ResourceSpec {
  let meant = spec;
  for (const path of secretPaths(kind)) {
    const secret = memberAt(stored, path);
    if (memberAt(spec, path) === MASKED_SECRET && secret !== undefined)
      meant = withMember(meant, path, secret) as ResourceSpec;
  }
  return meant;
}
