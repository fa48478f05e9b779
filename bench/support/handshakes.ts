import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Child } from './child.ts';
import { Histogram, type HistogramReport } from './histogram.ts';
import { nativeProgram } from './native.ts';
import { scratchFolder } from './scratch.ts';

/** What came of connecting anew for each request for a while. */
export interface HandshakeResult {
  /** Requests that were answered, each over a connection of its own. */
  readonly done: number;
  readonly failed: number;
  /** Handshakes that were none, because a session was resumed. */
  readonly resumed: number;
  readonly startedUs: number;
  readonly stoppedUs: number;
  /** From before connecting until the answer, in microseconds. */
  readonly latencies: Histogram;
}

/** A process that connects anew for each request, waiting for `start`; see native/handshake.c. */
export class Handshakes {
  readonly #child: Child;

  private constructor(child: Child) {
    this.#child = child;
  }

  /**
   * @param request the head of the request that each connection sends
   * @param connections how many are under way at a time
   */
  static async prepare(
    port: number,
    request: string,
    connections: number,
    seconds: number,
  ): Promise<Handshakes> {
    const file = join(scratchFolder('request'), 'request');
    writeFileSync(file, request);
    const child = new Child('handshake', nativeProgram('handshake'), [
      ...['--port', `${port}`, '--request', file],
      ...['--connections', `${connections}`, '--seconds', `${seconds}`],
    ]);
    await child.line();
    return new Handshakes(child);
  }

  get pid(): number {
    return this.#child.pid;
  }

  start(): void {
    this.#child.tell('go');
  }

  /** Resolves when the time is over. */
  async stopped(): Promise<void> {
    await this.#child.line();
  }

  async result(): Promise<HandshakeResult> {
    const answer = JSON.parse(await this.#child.line()) as Omit<HandshakeResult, 'latencies'> & {
      latencies: HistogramReport;
    };
    return { ...answer, latencies: Histogram.from(answer.latencies) };
  }
}
