/** A target as a balancer sees it. What changes is read anew for each choice. */
export interface Candidate {
  /** What it is, for the hash: the same target has the same key in every list. */
  readonly key: string;
  /** Its share of the requests beside the weights of the others, with the factor of a slow start. Above 0. */
  readonly weight: number;
  /** Requests that it has now. */
  readonly active: number;
  /** Whether it may be chosen: healthy, not ejected, resolved. */
  isUsable(): boolean;
}

/**
 * Chooses among candidates, a list that does not change.
 * @param hash of what belongs together, see `hashOfText`; only the balancer by hash looks at it
 * @param tried those that were chosen for the request before; they are not chosen again
 * @returns null if none of the others is usable
 */
export type Balancer<Target extends Candidate> = (hash: number, tried: readonly Target[]) => Target | null;

/** Nobody was tried before. */
export const NONE_TRIED: readonly never[] = Object.freeze([]);

export const isEligible = <Target extends Candidate>(candidate: Target, tried: readonly Target[]): boolean =>
  (tried.length === 0 || !tried.includes(candidate)) && candidate.isUsable();
