import type { Clock } from '../kernel/index.ts';

/** The Date field (RFC 9110, section 6.6.1), written once a second and not once a response. */
export class DateHeader {
  readonly #clock: Clock;
  #second = Number.NaN;
  #line = '';

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The whole line with its CRLF. */
  line(): string {
    const second = Math.floor(this.#clock.nowMs() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#line = `Date: ${new Date(second * 1000).toUTCString()}\r\n`;
    }
    return this.#line;
  }
}
