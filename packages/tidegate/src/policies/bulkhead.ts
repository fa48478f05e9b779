/** How many may be inside, and how many wait. */
export interface BulkheadOptions {
  readonly concurrent: number;
  readonly queue: number;
}

/** Somebody who wants in. Told exactly once, and not within `enter`, unless that returned `entered` or `full`. */
export interface BulkheadGuest {
  /** Is in now, and has to `leave`. */
  entered(): void;
  /** Has waited until its deadline. */
  expired(): void;
}

/** One who waits. */
export interface BulkheadPlace {
  /** Stops waiting: the guest is told nothing any more. Nothing happens if it was told already. */
  cancel(): void;
}

class Waiting implements BulkheadPlace {
  readonly guest: BulkheadGuest;
  readonly deadlineMs: number;
  readonly #cancelled: () => void;
  state: 'waiting' | 'over' = 'waiting';

  constructor(guest: BulkheadGuest, deadlineMs: number, cancelled: () => void) {
    this.guest = guest;
    this.deadlineMs = deadlineMs;
    this.#cancelled = cancelled;
  }

  cancel(): void {
    if (this.state === 'over') return;
    this.state = 'over';
    this.#cancelled();
  }
}

/**
 * Lets so many in at once, and so many wait in the order in which they came, each until its deadline. Knows no timers: whoever holds
 * it calls `expire` now and then.
 */
export class Bulkhead {
  readonly #options: BulkheadOptions;
  /** From `#first` on those who wait, and those who have stopped but were not put away yet. */
  #queue: Waiting[] = [];
  #first = 0;
  #waiting = 0;
  #inside = 0;
  #admitting = false;

  constructor(options: BulkheadOptions) {
    this.#options = options;
  }

  get inside(): number {
    return this.#inside;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /**
   * @param deadlineMs on the clock of `leave` and `expire`
   * @returns `entered`: is in, and has to `leave`; `full`: cannot even wait; otherwise the place in the queue
   */
  enter(guest: BulkheadGuest, deadlineMs: number): 'entered' | 'full' | BulkheadPlace {
    const { concurrent, queue } = this.#options;
    if (this.#inside < concurrent && this.#waiting === 0) {
      this.#inside++;
      return 'entered';
    }
    if (this.#waiting >= queue) return 'full';
    const place = new Waiting(guest, deadlineMs, () => this.#forget());
    this.#queue.push(place);
    this.#waiting++;
    return place;
  }

  /** One who was in is out: the next one who is still in time comes in. */
  leave(nowMs: number): void {
    this.#inside--;
    // One who comes in may leave at once, within the call; the loop goes on for all of them.
    if (this.#admitting) return;
    this.#admitting = true;
    try {
      while (this.#inside < this.#options.concurrent) {
        const next = this.#next(nowMs);
        if (next === undefined) return;
        this.#inside++;
        next.entered();
      }
    } finally {
      this.#admitting = false;
    }
  }

  /** Takes the first who is in time out of the queue, and tells those before it that are not. */
  #next(nowMs: number): BulkheadGuest | undefined {
    for (;;) {
      if (this.#first === this.#queue.length) {
        this.#tidy();
        return undefined;
      }
      // Taking the first element off a long array moves all the others.
      const place = this.#queue[this.#first++];
      if (place.state === 'over') continue;
      place.state = 'over';
      this.#forget();
      if (place.deadlineMs > nowMs) return place.guest;
      place.guest.expired();
    }
  }

  /** Tells those who have waited until their deadline. Deadlines need not be in the order of the queue. */
  expire(nowMs: number): void {
    const late = this.#queue.filter(({ state, deadlineMs }) => state === 'waiting' && deadlineMs <= nowMs);
    for (const place of late) {
      if (place.state === 'over') continue;
      place.state = 'over';
      this.#waiting--;
      place.guest.expired();
    }
    this.#tidy();
  }

  #forget(): void {
    this.#waiting--;
    // Only then, so that each costs little: the list is never longer than twice those who wait, and a few.
    if (this.#queue.length > 2 * this.#waiting + 16) this.#tidy();
  }

  #tidy(): void {
    this.#first = 0;
    this.#queue = this.#queue.filter(({ state }) => state === 'waiting');
  }
}
