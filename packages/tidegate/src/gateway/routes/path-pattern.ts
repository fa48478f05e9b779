import { normalPathOfText } from './normal-path.ts';

/** A parameter of a pattern. */
export interface PathParameter {
  readonly name: string;
  /** Which segment it stands for, from 0. */
  readonly index: number;
}

/** What a route says of the path; immutable. */
export interface PathPattern {
  /** As it was written, normalised. */
  readonly text: string;
  /** The segments in order; null for a parameter, which stands for one segment that is not empty. */
  readonly segments: readonly (string | null)[];
  readonly parameters: readonly PathParameter[];
  /** Whether it stands for the path alone, or also for all below it: a final `/*`. */
  readonly reach: 'exact' | 'below';
  /** The same for patterns that stand for the same paths: parameters without their names. */
  readonly shape: string;
  /** How many characters stand before the first parameter or the star. */
  readonly literalLength: number;
}

const PARAMETER = /^\{(.*)\}$/;

/**
 * Reads a pattern that fits the schema.
 * @throws TidegateError http_malformed, as `normalPath`
 */
export function parsePathPattern(pattern: string): PathPattern {
  const text = normalPathOfText(pattern);
  const reach = text.endsWith('/*') ? 'below' : 'exact';
  const parts = text.split('/').slice(1, reach === 'below' ? -1 : undefined);
  const parameters: PathParameter[] = [];
  const segments = parts.map((part, index) => {
    const name = PARAMETER.exec(part)?.[1];
    if (name === undefined) return part;
    parameters.push(Object.freeze({ name, index }));
    return null;
  });
  const literalLength = text.search(/[{*]/);
  return Object.freeze({
    text,
    segments: Object.freeze(segments),
    parameters: Object.freeze(parameters),
    reach,
    shape: text.replaceAll(/\{[^}]*\}/g, '{}'),
    literalLength: literalLength === -1 ? text.length : literalLength,
  });
}

/** Where the segment `index` of a path begins: after its slash. One past the end if the path is shorter. */
export function segmentStart(path: string, index: number): number {
  let at = 1;
  for (let passed = 0; passed < index; passed++) {
    const slash = path.indexOf('/', at);
    if (slash === -1) return path.length + 1;
    at = slash + 1;
  }
  return at;
}

/** The parameters of a path by name, still percent-encoded. */
export type PathParameters = Readonly<Record<string, string>>;

const NO_PARAMETERS: PathParameters = Object.freeze({});

/** What the parameters of a pattern stand for in a path that it matches. */
export function parametersOf({ parameters }: PathPattern, path: string): PathParameters {
  if (parameters.length === 0) return NO_PARAMETERS;
  // Without a prototype: names come from the options, and `constructor` is one.
  const values: Record<string, string> = Object.create(null);
  for (const { name, index } of parameters) {
    const start = segmentStart(path, index);
    const end = path.indexOf('/', start);
    values[name] = end === -1 ? path.slice(start) : path.slice(start, end);
  }
  return values;
}
