import type { Histogram } from './histogram.ts';
import { scratchFile, TimedProgram } from './timed-program.ts';

/** What came of connecting anew for each request for a while. */
interface HandshakeResult {
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
export class Handshakes extends TimedProgram<HandshakeResult> {
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
    const program = await TimedProgram.prepared('handshake', 'handshake', [
      ...['--port', `${port}`, '--request', scratchFile('request', request)],
      ...['--connections', `${connections}`, '--seconds', `${seconds}`],
    ]);
    return new Handshakes(program);
  }
}
