import type { Difference, RequestedChange } from './plan.ts';

/** A request to change resources: all of it, or nothing. */
export interface ResourceWrite {
  /** Names the credential of who asks; empty for nobody in particular. */
  readonly who: string;
  readonly changes: readonly RequestedChange[];
  /** Whether to do it, or only to say what it would do. */
  readonly mode: 'apply' | 'dry-run';
}

export interface WriteResult {
  /** How far the snapshot is that has the changes in it. */
  readonly position: number;
  readonly differences: readonly Difference[];
}
