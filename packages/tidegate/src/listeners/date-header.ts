import type { Clock } from '../kernel/index.ts';

/** The Date field (RFC 9110, section 6.6.1), written once a second and not once a response. */
export class DateHeader {
  readonly #clock: Clock;
  #second = Number.NaN;
  #value = '';
  #line = '';

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The whole line with its CRLF. */
  line(): string {
    this.#refresh();
    return this.#line;
  }

  /** What stands after the colon. */
  value(): string {
    this.#refresh();
    return this.#value;
  }

  #refresh(): void {
    const second = Math.floor(this.#clock.nowMs() / 1000);
    if (second === this.#second) return;
    this.#second = second;
    this.#value = new Date(second * 1000).toUTCString();
    this.#line = `Date: ${this.#value}\r\n`;
  }
}
