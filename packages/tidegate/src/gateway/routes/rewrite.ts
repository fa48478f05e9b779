import { type PathParameters, type PathPattern, segmentStart } from './path-pattern.ts';

/** How the path changes on its way to the origin. */
export interface Rewrite {
  /** Whole segments, normalised, that are taken from the beginning; empty for none. */
  readonly stripPrefix: string;
  /** Segments, normalised, that are put before the rest; empty for none. */
  readonly addPrefix: string;
  /** The path anew; null to keep what is left. */
  readonly path: PathPattern | null;
}

/** Whether a path is `prefix` or lies below it. */
const isBelow = (path: string, prefix: string): boolean =>
  path.startsWith(prefix) && (path.length === prefix.length || path[prefix.length] === '/');

/**
 * The path that the origin is asked for.
 * @param matched the pattern of the route, by which the path was matched
 * @param path as it was matched, normalised
 */
export function rewritePath(
  { stripPrefix, addPrefix, path: template }: Rewrite,
  matched: PathPattern,
  path: string,
  parameters: PathParameters,
): string {
  if (template !== null) return fill(template, matched, path, parameters);
  const rest = stripPrefix !== '' && isBelow(path, stripPrefix) ? path.slice(stripPrefix.length) : path;
  const rewritten = addPrefix + rest;
  return rewritten === '' ? '/' : rewritten;
}

function fill(template: PathPattern, matched: PathPattern, path: string, parameters: PathParameters): string {
  let filled = '';
  let next = 0;
  for (let index = 0; index < template.segments.length; index++) {
    filled += `/${template.segments[index] ?? parameters[template.parameters[next++].name]}`;
  }
  // What the star of the match stood for begins with the slash after its last segment, if the path goes on at all.
  if (template.reach === 'below') filled += path.slice(segmentStart(path, matched.segments.length) - 1);
  return filled === '' ? '/' : filled;
}
