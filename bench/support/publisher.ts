import type { Histogram } from './histogram.ts';
import { scratchFile, TimedProgram } from './timed-program.ts';

/** How messages get into a server: what is sent, over how many connections, and what answers it. See native/publish.c. */
export interface WayIn {
  /** A few words for the table, such as `single POSTs, 64 connections`. */
  readonly label: string;
  readonly port: number;
  readonly connections: number;
  /** Sent once per connection, before anything else. */
  readonly head?: Buffer;
  /** Sent again and again, with the payloads in it stamped. */
  readonly unit: Buffer;
  /** Units without answer that a connection may have. */
  readonly depth?: number;
  readonly answers: 'response' | 'frame' | 'line' | 'close' | 'none';
  readonly answersPerUnit?: number;
  readonly framing?: 'http' | 'websocket';
  /** The byte that the unit is masked with. */
  readonly mask?: number;
  /**
   * Texts of equal length, the first of which is in the unit: each unit has the next one in its place. Publishing ends after
   * the last, if not before.
   */
  readonly variants?: readonly string[];
  /** Over TLS. */
  readonly tls?: boolean;
}

/** What came of publishing for a while. */
export interface PublishResult {
  readonly sent: number;
  /** Messages that the server accepted. */
  readonly accepted: number;
  readonly refused: number;
  readonly unanswered: number;
  readonly startedUs: number;
  /** When the last unit was under way. */
  readonly stoppedUs: number;
  /** How far the sender was behind its schedule at worst. */
  readonly lateUs: number;
  /** From when a unit was due until it was answered, in microseconds. */
  readonly latencies: Histogram;
  /** The same without `ownLateness`: what the server is answerable for, in microseconds. */
  readonly serverLatencies: Histogram;
  /** How late the sender was with each unit although a connection was free, in microseconds. */
  readonly ownLateness: Histogram;
}

/** A publishing process, connected and waiting for `run`. */
export class Publisher extends TimedProgram<PublishResult> {
  /**
   * @param rate messages per second by a fixed schedule, or 0 for as fast as the server takes them
   */
  static async connect(way: WayIn, seconds: number, rate = 0): Promise<Publisher> {
    const { head, variants } = way;
    const program = await TimedProgram.prepared('publish', way.tls === true ? 'publish-tls' : 'publish', [
      ...[
        '--port',
        `${way.port}`,
        '--connections',
        `${way.connections}`,
        '--unit',
        scratchFile('unit', way.unit),
      ],
      ...(head === undefined ? [] : ['--head', scratchFile('head', head)]),
      ...(variants === undefined
        ? []
        : ['--variants', scratchFile('variants', variants.map((line) => `${line}\n`).join(''))]),
      ...[
        '--depth',
        `${way.depth ?? 1}`,
        '--answers',
        way.answers,
        '--answers-per-unit',
        `${way.answersPerUnit ?? 1}`,
      ],
      ...[
        '--framing',
        way.framing ?? 'http',
        '--mask',
        `${way.mask ?? 0}`,
        '--seconds',
        `${seconds}`,
        '--rate',
        `${rate}`,
      ],
    ]);
    return new Publisher(program);
  }
}

/** Publishes by one way for some time. */
export async function publishFor(way: WayIn, seconds: number, rate = 0): Promise<PublishResult> {
  const publisher = await Publisher.connect(way, seconds, rate);
  return publisher.run();
}
