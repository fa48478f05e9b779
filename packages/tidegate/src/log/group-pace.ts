/** Fewer callers than this are not waited for. */
const CALLERS_MIN = 4;
/** How long is waited, as a share of what the last commit took, and at most. */
const WAIT_SHARE = 2;
const WAIT_MS_MAX = 2;
/** An idle turn takes some microseconds, so that this ends a wait only where the clock stands still. */
const WAIT_TURNS_MAX = 500;
/** Nor is it worth waiting for the last few, or if there are so many that a commit costs each of them next to nothing. */
const ENOUGH = 0.9;
const APPENDS_ENOUGH = 64;

/**
 * Decides when the group that gathers is committed. A publisher that waits for its answer appends again soon after the commit that brought it; if the next
 * commit began without these, they would wait for all of it, and the publishers would fall into two halves that commit in turns, each waiting for
 * the other. So once a commit is done, the next one waits for about as many appends as were under way, but no longer than half of what a
 * commit takes.
 */
export class GroupPace {
  #expected = 0;
  #dueMs = Number.NEGATIVE_INFINITY;
  #turns = 0;

  /**
   * A commit is done.
   * @param answered the appends that were in it
   * @param gathered those that came meanwhile
   */
  done(answered: number, gathered: number, tookMs: number, nowMs: number): void {
    const callers = answered + gathered;
    this.#expected = callers < CALLERS_MIN ? 0 : Math.min(callers * ENOUGH, APPENDS_ENOUGH);
    this.#turns = 0;
    this.#dueMs = nowMs + Math.min(tookMs / WAIT_SHARE, WAIT_MS_MAX);
  }

  /** Whether a group of so many appends is to be committed now. To be asked once in a turn. */
  isReady(gathered: number, nowMs: number): boolean {
    if (gathered >= this.#expected || nowMs >= this.#dueMs) return true;
    return ++this.#turns > WAIT_TURNS_MAX;
  }
}
