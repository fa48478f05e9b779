import type { DifferenceName } from './differences.ts';
import type { Recording } from './recording.ts';
import type { Stage } from './stage.ts';

/** Where two recordings differ, and what they hold there; a value that is missing is `null`. */
export interface Divergence {
  readonly at: string;
  readonly pushpin: Recording;
  readonly tidegate: Recording;
}

/** A divergence that is intended. */
export interface ExplainedDivergence extends Divergence {
  /** The row of docs/pushpin.md that says why. */
  readonly because: DifferenceName;
}

/** The same steps on both sides, and what has to come of them. */
export interface Scenario {
  /** A sentence, which is also where its paths and channels have their name from. */
  readonly name: string;
  readonly run: (stage: Stage) => Promise<Recording>;
  /** Whether other scenarios would notice it. */
  readonly isAlone?: boolean;
  /** Where the two differ; nowhere by default. */
  readonly differs?: readonly ExplainedDivergence[];
}

/** Divergences of one reason, each as a place and what is there in Pushpin and in Tidegate. */
export function differs(
  because: DifferenceName,
  ...places: readonly (readonly [at: string, pushpin: Recording, tidegate: Recording])[]
): readonly ExplainedDivergence[] {
  return places.map(([at, pushpin, tidegate]) => ({ at, pushpin, tidegate, because }));
}

/** What Pushpin says of everything that goes wrong between it and the origin. */
export const ORIGIN_ERROR = 'Error while proxying to origin.\n';

/** An instruction that neither follows, and that Tidegate names. */
export const REFUSED = differs('errors', ['says', ORIGIN_ERROR, 'grip_instruct_invalid']);

/** Where two recordings differ: as deep as both have the same members. */
export function divergences(pushpin: Recording, tidegate: Recording, at = ''): readonly Divergence[] {
  if (isBranch(pushpin) && isBranch(tidegate) && Array.isArray(pushpin) === Array.isArray(tidegate)) {
    const one = pushpin as Readonly<Record<string, Recording>>;
    const other = tidegate as Readonly<Record<string, Recording>>;
    return [...new Set([...Object.keys(one), ...Object.keys(other)])].flatMap((key) =>
      divergences(one[key] ?? null, other[key] ?? null, at === '' ? key : `${at}.${key}`),
    );
  }
  return pushpin === tidegate ? [] : [{ at: at === '' ? 'all' : at, pushpin, tidegate }];
}

function isBranch(recording: Recording): recording is Exclude<Recording, string | number | boolean | null> {
  return typeof recording === 'object' && recording !== null;
}
