import type { PublishedEvent } from '../channels/index.ts';
import type { TidegateError } from '../kernel/index.ts';
import type { Share } from './port.ts';

/** A subscriber that is delayed. */
export interface Delayed {
  /** It may be handed more. Never comes from within a call. */
  resume(): void;
}

/** Called once, with a refusal or null for each event, in order. Events that are not refused count as published. */
export type Verdicts = (
  refusals: readonly (TidegateError | null)[],
  /** The same events, whose bytes are good as long as they are needed. */
  events: readonly PublishedEvent[],
) => void;

/** How far somebody has used up its limits: one for all connections that count as one, in whichever process they are. */
export interface Usage {
  /**
   * Asks for as many of some equal shares as there are, up to `times`. Calls back once, when what there is can be held: at once in the
   * process that counts, later in others. What is not held when `ready` returns is given back.
   */
  admit(share: Share, times: number, ready: () => void): void;
  /**
   * Takes a share, or nothing of it. Other processes than the one that counts take it of what they were admitted to.
   * @throws TidegateError quota_exceeded; worker_unavailable if the process that counts is gone
   */
  hold(share: Share): void;
  release(share: Share): void;
  /** Tells which events may be published now: at once in the process that counts, later in others, in the order of the calls. */
  judge(events: readonly PublishedEvent[], done: Verdicts): void;
  /** A subscriber has been handed bytes. Returns whether it may be handed more; if not, it is resumed once it may. */
  handed(bytes: number, subscriber: Delayed): boolean;
  /** The subscriber has gone, and need not be resumed. */
  forget(subscriber: Delayed): void;
}
