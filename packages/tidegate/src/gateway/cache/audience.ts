import { TidegateError } from '../../kernel/index.ts';
import type { CacheCounters } from './cache-metrics.ts';
import type { FetchBody } from './fetch-body.ts';
import type { CacheReply } from './port.ts';
import type { Waiter } from './waiter.ts';

/**
 * Those who wait for one response. The leader is the client whose request it was: it gets what cannot be shared, and the origin is read at its
 * pace where a body is too large to be kept. When it leaves, whoever came next paces.
 */
export class Audience {
  readonly #waiters = new Set<Waiter>();
  readonly #body: FetchBody;
  /** How far one may be behind in a body that is not kept. */
  readonly #lagBytesMax: number;
  readonly #counters: Pick<CacheCounters, 'released' | 'lagging'>;
  #leader: Waiter | null = null;

  constructor(body: FetchBody, lagBytesMax: number, counters: Pick<CacheCounters, 'released' | 'lagging'>) {
    this.#body = body;
    this.#lagBytesMax = lagBytesMax;
    this.#counters = counters;
  }

  get size(): number {
    return this.#waiters.size;
  }

  get leader(): Waiter | null {
    return this.#leader;
  }

  add(waiter: Waiter, role: 'leader' | 'follower'): void {
    this.#waiters.add(waiter);
    if (role === 'leader') this.#leader = waiter;
  }

  remove(waiter: Waiter): void {
    this.#waiters.delete(waiter);
    if (this.#leader === waiter) this.#leader = null;
  }

  /** Answers all who wait for the head, or lets those go for whom there is no answer. */
  answer(replyFor: (waiter: Waiter) => CacheReply | null): void {
    for (const waiter of this.#waiters) this.answerOne(waiter, replyFor);
  }

  /** The same for one of them. */
  answerOne(waiter: Waiter, replyFor: (waiter: Waiter) => CacheReply | null): void {
    if (waiter.state !== 'waiting') return;
    const reply = replyFor(waiter);
    if (reply === null) this.#release(waiter);
    else waiter.reply(reply);
    this.#removeIfOver(waiter);
  }

  /** Gives everybody what there is of the body and what they take. */
  feed(): void {
    for (const waiter of this.#waiters) waiter.feed(this.#body);
  }

  /**
   * Lets go of what all have had of a body that is not kept, and cuts off those who are too far behind. Returns whether the one that paces
   * keeps pace.
   */
  advance(): 'keeps' | 'full' {
    const pacer = this.#leader ?? this.#waiters.values().next().value ?? null;
    let had = this.#body.end;
    for (const waiter of this.#waiters) {
      if (waiter !== pacer && this.#body.end - waiter.position > this.#lagBytesMax) this.#cutOff(waiter);
      else had = Math.min(had, waiter.position);
    }
    this.#body.trim(had);
    return pacer?.isFull ? 'full' : 'keeps';
  }

  /** Tells those the end who have had all of the body. */
  finish(): void {
    for (const waiter of this.#waiters) this.finishOne(waiter);
  }

  /** The same for one of them. */
  finishOne(waiter: Waiter): void {
    if (waiter.position === this.#body.end) waiter.end();
    this.#removeIfOver(waiter);
  }

  /** The response will not be completed. */
  fail(error: TidegateError): void {
    for (const waiter of this.#waiters) {
      this.remove(waiter);
      waiter.fail(error);
    }
  }

  /** Lets everybody go but the leader, who is told by whoever calls. */
  release(): void {
    if (this.#leader !== null) this.remove(this.#leader);
    for (const waiter of this.#waiters) {
      this.remove(waiter);
      this.#release(waiter);
    }
  }

  /** One that was told something may have left from within. */
  #removeIfOver(waiter: Waiter): void {
    if (waiter.state === 'over') this.remove(waiter);
  }

  #release(waiter: Waiter): void {
    this.#counters.released.add(1);
    waiter.release();
  }

  #cutOff(waiter: Waiter): void {
    this.remove(waiter);
    this.#counters.lagging.add(1);
    waiter.fail(new TidegateError('upstream_reset', 'The client reads a shared response too slowly.'));
  }
}
