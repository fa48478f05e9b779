/** A JSON object or array; what JSON.parse makes of one. */
export type Container = unknown[] | Record<string, unknown>;

export function isContainer(value: unknown): value is Container {
  return typeof value === 'object' && value !== null;
}

/** Whether `value` is an object, and no array, that has a member of this name itself. */
export function hasMember(value: unknown, name: string): value is Record<string, unknown> {
  return isContainer(value) && !Array.isArray(value) && Object.hasOwn(value, name);
}

/** Whether `value` has containers within more than `levels` containers. */
export function isNestedDeeperThan(value: unknown, levels: number): boolean {
  if (!isContainer(value)) return false;
  if (levels === 0) return true;
  for (const child of Array.isArray(value) ? value : Object.values(value)) {
    if (isContainer(child) && isNestedDeeperThan(child, levels - 1)) return true;
  }
  return false;
}

/**
 * Whether two values are equal as RFC 6902, section 4.6, has it: objects whatever the order of their members. Values that are
 * nested beyond `levels` count as different, so that no depth exhausts the stack.
 */
export function isEqual(left: unknown, right: unknown, levels: number): boolean {
  if (left === right) return true;
  if (levels === 0 || !isContainer(left) || !isContainer(right)) return false;
  if (Array.isArray(left)) {
    if (!Array.isArray(right) || left.length !== right.length) return false;
    for (let i = 0; i < left.length; i++) if (!isEqual(left[i], right[i], levels - 1)) return false;
    return true;
  }
  if (Array.isArray(right)) return false;
  const names = Object.keys(left);
  if (names.length !== Object.keys(right).length) return false;
  for (const name of names) {
    if (!Object.hasOwn(right, name) || !isEqual(left[name], right[name], levels - 1)) return false;
  }
  return true;
}

/** Sets a member as JSON.parse does: whatever its name is, it becomes a member, and never the prototype. */
export function setMember(object: Record<string, unknown>, name: string, value: unknown): void {
  if (name === '__proto__') {
    Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
  } else {
    object[name] = value;
  }
}
