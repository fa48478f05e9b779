type Members = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/**
 * Whether two values come to the same JSON, whatever the order of members; those that are undefined are not there. Costs a step for each value: thousands of
 * resources are compared while others wait.
 */
export function isSameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (!isObject(a) || !isObject(b) || Array.isArray(a) !== Array.isArray(b)) return false;
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, index) => isSameJson(item, b[index]));
  return memberCount(a as Members) === memberCount(b as Members) && hasMembersOf(a as Members, b as Members);
}

function memberCount(value: Members): number {
  let count = 0;
  for (const name of Object.keys(value)) if (value[name] !== undefined) count++;
  return count;
}

/** Those that are undefined in `other` are no members of it. */
function hasMembersOf(value: Members, other: Members): boolean {
  for (const name of Object.keys(other)) {
    if (other[name] === undefined) continue;
    if (!Object.hasOwn(value, name) || !isSameJson(value[name], other[name])) return false;
  }
  return true;
}
