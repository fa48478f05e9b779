import type { Clock } from '../kernel/index.ts';
import { CommitGroup } from './commit-group.ts';
import { GroupPace } from './group-pace.ts';

/** Work that has the store to itself; calls `next` when the store may be used again. */
export type Job = (next: () => void) => void;

/**
 * The order in which a store's commits happen: one at a time, groups of appends and other jobs in the order in which they
 * came. While one is under way the next group gathers, so that a busy log commits often and a busier one commits more
 * at once; when nothing is under way the group is cut at the end of the event-loop turn.
 */
export class Pipeline {
  readonly #clock: Clock;
  readonly #commit: (group: CommitGroup, next: () => void) => void;
  readonly #queue: (CommitGroup | Job)[] = [];
  readonly #pace = new GroupPace();
  #busy = false;
  #scheduled = false;
  #idleWaiters: (() => void)[] = [];

  constructor(clock: Clock, commit: (group: CommitGroup, next: () => void) => void) {
    this.#clock = clock;
    this.#commit = commit;
  }

  /** The group that an append joins now. */
  group(): CommitGroup {
    const last = this.#queue[this.#queue.length - 1];
    if (last instanceof CommitGroup) return last;
    const group = new CommitGroup();
    this.#queue.push(group);
    this.#schedule();
    return group;
  }

  job(job: Job): void {
    this.#queue.push(job);
    this.#schedule();
  }

  /** Resolves once nothing is queued or under way. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      if (!this.#busy && this.#queue.length === 0) resolve();
      else this.#idleWaiters.push(resolve);
    });
  }

  #schedule(): void {
    if (this.#busy || this.#scheduled) return;
    this.#scheduled = true;
    this.#clock.endOfTurn(() => {
      this.#scheduled = false;
      if (!this.#busy) this.#advance();
    });
  }

  #advance(): void {
    if (this.#isGathering()) {
      this.#schedule();
      return;
    }
    const next = this.#queue.shift();
    if (next === undefined) {
      const waiters = this.#idleWaiters;
      this.#idleWaiters = [];
      for (const waiter of waiters) waiter();
      return;
    }
    this.#busy = true;
    const startedMs = this.#clock.monotonicMs();
    let stage: 'starting' | 'under way' | 'answered' = 'starting';
    const done = (): void => {
      if (stage === 'answered') throw new Error('A job of the log answered twice');
      const atOnce = stage === 'starting';
      stage = 'answered';
      this.#busy = false;
      if (next instanceof CommitGroup) this.#paceAfter(next, startedMs);
      // Memory answers at once, and whoever appends again from the answer must not keep everybody else from their turn.
      if (atOnce && this.#queue.length > 0) this.#schedule();
      else this.#advance();
    };
    if (next instanceof CommitGroup) this.#commit(next, done);
    else next(done);
    if (stage === 'starting') stage = 'under way';
  }

  /** Whether all that could be done now is a group for which more appends are expected soon. */
  #isGathering(): boolean {
    const [only] = this.#queue;
    if (this.#queue.length !== 1 || !(only instanceof CommitGroup)) return false;
    return !this.#pace.isReady(only.appends.length, this.#clock.monotonicMs());
  }

  #paceAfter(group: CommitGroup, startedMs: number): void {
    const [gathering] = this.#queue;
    const gathered = gathering instanceof CommitGroup ? gathering.appends.length : 0;
    const nowMs = this.#clock.monotonicMs();
    this.#pace.done(group.appends.length, gathered, nowMs - startedMs, nowMs);
  }
}
