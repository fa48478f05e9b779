import type { Failure } from './failure.ts';

/** How far a subscriber is: it is brought on from there, however long it was away. */
export interface Place {
  version: number;
  /** The failure that it knows of; null if it knows of none. */
  told: Failure | null;
}

/** Somebody who follows a value. First it waits until it is known what there is; then it may stay. */
export interface Subscriber {
  /** It is known what there is: the resource's `refusal` says whether there is a value. Called at most once. */
  ready(): void;
  /** There is a new value, a failure, or the end of one. */
  changed(): void;
  /** The server is shutting down: nothing more will come. */
  draining(): void;
}
