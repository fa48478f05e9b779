/** A limit: its default, the range it may be set to, and what it protects against. The unit is in the name. */
export interface LimitEntry {
  readonly default: number;
  readonly min: number;
  readonly max: number;
  readonly why: string;
}

/** Makes an entry. */
export const limit = (value: number, min: number, max: number, why: string): LimitEntry => ({
  default: value,
  min,
  max,
  why,
});

export const KIB = 1024;
export const MIB = 1024 * KIB;
/** In milliseconds. */
export const SECOND = 1000;
