/** The figures of one route since its last report. */
export class RouteReport {
  #connections = 0;
  /** The most at a time since the last report. */
  #connectionsMax = 0;
  #minutes = 0;
  #received = 0;
  #sent = 0;
  #responsesSent = 0;
  #sinceMs: number;
  /** What subscribers were last told of connections, and when. */
  #toldMax = 0;
  #toldAtMs = 0;
  /** The most at a time since they were told. */
  #untoldMax = 0;

  /** Times are on the monotonic clock, here as in all calls. */
  constructor(nowMs: number) {
    this.#sinceMs = nowMs;
  }

  /** Each connection counts for a minute when it comes. */
  came(): void {
    this.#connections++;
    this.#connectionsMax = Math.max(this.#connectionsMax, this.#connections);
    this.#untoldMax = Math.max(this.#untoldMax, this.#connections);
    this.#minutes++;
  }

  left(): void {
    this.#connections--;
  }

  lasted(minutes: number): void {
    this.#minutes += minutes;
  }

  received(): void {
    this.#received++;
  }

  sent(transport: string, count: number): void {
    this.#sent += count;
    if (transport === 'http-response') this.#responsesSent += count;
  }

  /** Nothing was to be told, and nobody is there. */
  get isIdle(): boolean {
    return (
      this.#connectionsMax + this.#minutes + this.#received + this.#sent + this.#connections === 0 &&
      this.#toldMax === 0
    );
  }

  /** The figures since the last call, as Pushpin names them. */
  take(nowMs: number): Readonly<Record<string, number>> {
    const figures = {
      connections: this.#connectionsMax,
      minutes: this.#minutes,
      received: this.#received,
      sent: this.#sent,
      'http-response-sent': this.#responsesSent,
      duration: Math.round(nowMs - this.#sinceMs),
    };
    this.#sinceMs = nowMs;
    this.#connectionsMax = this.#connections;
    this.#minutes = 0;
    this.#received = 0;
    this.#sent = 0;
    this.#responsesSent = 0;
    return figures;
  }

  /** How many connections there are at most, if subscribers have not been told so, or not for `againMs`; else null. */
  takeMax(nowMs: number, againMs: number): number | null {
    const max = this.#untoldMax > this.#toldMax ? this.#untoldMax : this.#connections;
    if (max === this.#toldMax && (max === 0 || nowMs - this.#toldAtMs < againMs)) return null;
    this.#toldMax = max;
    this.#toldAtMs = nowMs;
    this.#untoldMax = this.#connections;
    return max;
  }
}
