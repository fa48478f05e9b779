/** The values of a path's `{name}` segments, percent-decoded, by name. */
export type PathParameters = Readonly<Record<string, string>>;

/** A segment as it was meant; undefined if its percent-encoding is broken. */
function decodeSegment(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

/**
 * Matches a path against a pattern such as `/api/topic/{name}`, in which a segment in braces stands for any one segment that is
 * not empty. Null if it does not match.
 */
export function matchPath(pattern: string, path: string): PathParameters | null {
  const expected = pattern.split('/');
  const segments = path.split('/');
  if (expected.length !== segments.length) return null;
  const parameters: Record<string, string> = {};
  for (const [index, segment] of segments.entries()) {
    const name = /^\{(\w+)\}$/.exec(expected[index])?.[1];
    if (name === undefined) {
      if (segment !== expected[index]) return null;
      continue;
    }
    const value = decodeSegment(segment);
    if (value === undefined || value === '') return null;
    parameters[name] = value;
  }
  return parameters;
}
