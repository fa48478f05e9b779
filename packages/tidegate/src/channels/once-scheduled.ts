/** Runs something once, however often it is asked for before its time comes. */
export class OnceScheduled {
  readonly #schedule: (callback: () => void) => void;
  readonly #run: () => void;
  #scheduled = false;

  constructor(schedule: (callback: () => void) => void, run: () => void) {
    this.#schedule = schedule;
    this.#run = run;
  }

  readonly wake = (): void => {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#schedule(() => {
      this.#scheduled = false;
      this.#run();
    });
  };
}
