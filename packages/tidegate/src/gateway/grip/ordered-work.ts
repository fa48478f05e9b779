/** Gives a step up, whose end is not waited for any more. */
export type Cancel = () => void;

/** Something that takes its time. Calls `done` once, also before it returns; afterwards nothing of it may happen. */
export type Step = (done: () => void) => Cancel | null;

/** What is to happen to one client. */
export interface Work {
  /** Nobody is waited for. */
  readonly isIdle: boolean;
  /** Takes a step as soon as those before it are done; at once if there are none. */
  add(step: Step): void;
  /** Does something that does not wait for anybody, in its turn. */
  do(action: () => void): void;
  /** Does nothing of it any more. */
  close(): void;
}

const NOTHING = (): void => {};

/** For clients that never have to wait for anybody, of which there are far more: everything happens at once, and costs them nothing. */
export const AT_ONCE: Work = {
  isIdle: true,
  add: (step) => void step(NOTHING),
  do: (action) => action(),
  close: NOTHING,
};

/**
 * What is to happen to one client in the order in which it came, although some of it has to wait for somebody. It is as long as what its feeds hand over before they
 * learn that there is no room, which is a flush each.
 */
export class OrderedWork implements Work {
  /** Called when everything was done, if something had to wait. */
  idle: () => void;
  readonly #steps: Step[] = [];
  #cancel: Cancel | null = null;
  #isRunning = false;
  #isClosed = false;

  constructor(idle: () => void = () => {}) {
    this.idle = idle;
  }

  get isIdle(): boolean {
    return !this.#isRunning;
  }

  add(step: Step): void {
    if (this.#isClosed) return;
    this.#steps.push(step);
    if (!this.#isRunning) this.#run();
  }

  do(action: () => void): void {
    if (this.#isClosed) return;
    if (this.#isRunning) {
      this.#steps.push((done) => {
        action();
        done();
        return null;
      });
    } else {
      action();
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#steps.length = 0;
    this.#cancel?.();
    this.#cancel = null;
  }

  #run(): void {
    this.#isRunning = true;
    for (let step = this.#steps.shift(); step !== undefined; step = this.#steps.shift()) {
      const taken = { isDone: false, isWaitedFor: false };
      const cancel = step(() => {
        taken.isDone = true;
        if (taken.isWaitedFor) this.#goOn();
      });
      // What it does may be the end of it all.
      if (this.#isClosed) {
        if (!taken.isDone) cancel?.();
        return;
      }
      if (!taken.isDone) {
        taken.isWaitedFor = true;
        this.#cancel = cancel;
        return;
      }
    }
    this.#isRunning = false;
  }

  #goOn(): void {
    this.#cancel = null;
    if (this.#isClosed) return;
    this.#run();
    if (!this.#isRunning) this.idle();
  }
}
