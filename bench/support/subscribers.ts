import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Child } from './child.ts';
import { Histogram, type HistogramReport } from './histogram.ts';
import { nativeProgram } from './native.ts';
import type { Protocol } from './options.ts';
import { scratchFolder } from './scratch.ts';

/** What the subscribing process has counted since the last reset; see native/subscribe.c. */
export interface SubscriberReport {
  readonly open: number;
  readonly refused: number;
  readonly closed: number;
  readonly messages: number;
  /** The fewest and the most messages that any one connection has had. */
  readonly least: number;
  readonly most: number;
  readonly frames: number;
  readonly bytes: number;
  readonly reads: number;
  /** What looked like a message and was none. */
  readonly foreign: number;
  /** On the checked connections: sequences that were skipped, and that came again or late. */
  readonly missing: number;
  readonly repeated: number;
  /** CLOCK_MONOTONIC when the first connection was begun. */
  readonly openingUs: number;
  /** When the last one so far had its answer. */
  readonly settledUs: number;
  /** The same of the first and the last byte. */
  readonly firstUs: number;
  readonly lastUs: number;
  readonly latencyMaximumUs: number;
  readonly targetReached: number;
  readonly targetReachedUs: number;
  readonly nowUs: number;
}

/** What each client says once its WebSocket is open. */
export interface Greeting {
  /** Masked frames. */
  readonly frames: Buffer;
  /** A text in the first 1,536 bytes that the server says then, by which the client knows that it is subscribed. */
  readonly answer: string;
  /** A text in there that tells of a refusal. */
  readonly refusal: string;
}

export interface SubscribersOptions {
  readonly port: number;
  /** Request heads; connection i sends the i-th, or the last. */
  readonly requests: readonly string[];
  readonly connections: number;
  readonly protocol: Protocol;
  readonly payloadBytes?: number;
  /** How many connections may be opening at a time; all at once if it is the number of connections. */
  readonly opening?: number;
  readonly greeting?: Greeting;
  /** Over TLS. */
  readonly tls?: boolean;
}

/** Many subscriptions, held by one process that counts what they get. */
export class Subscribers {
  readonly count: number;
  readonly #child: Child;

  private constructor(child: Child, count: number) {
    this.#child = child;
    this.count = count;
  }

  /** Opens all subscriptions. Resolves when each has its answer; rejects if one was refused. */
  static async open(options: SubscribersOptions): Promise<Subscribers> {
    const subscribers = Subscribers.start(options);
    await subscribers.ready();
    const report = await subscribers.report();
    if (report.open < options.connections) {
      const error = new Error(
        `only ${report.open} of ${options.connections} subscriptions are open\n${subscribers.#child.errors}`,
      );
      await subscribers.close();
      throw error;
    }
    return subscribers;
  }

  /** Begins to open the subscriptions and does not wait. */
  static start(options: SubscribersOptions): Subscribers {
    const folder = scratchFolder('requests');
    const file = join(folder, 'requests');
    writeFileSync(file, options.requests.join(''));
    const { greeting } = options;
    const greetingFile = join(folder, 'greeting');
    if (greeting !== undefined) writeFileSync(greetingFile, greeting.frames);
    const child = new Child(
      'subscribe',
      nativeProgram(options.tls === true ? 'subscribe-tls' : 'subscribe'),
      [
        ...['--port', `${options.port}`, '--requests', file, '--connections', `${options.connections}`],
        ...[
          '--framing',
          options.protocol === 'sse' ? 'http' : 'websocket',
          '--payload',
          `${options.payloadBytes ?? 100}`,
        ],
        ...['--opening', `${options.opening ?? 100}`],
        ...(greeting === undefined
          ? []
          : ['--greeting', greetingFile, '--answer', greeting.answer, '--refusal', greeting.refusal]),
      ],
    );
    return new Subscribers(child, options.connections);
  }

  /** Resolves when every connection has its answer, or has been refused too often. */
  async ready(): Promise<void> {
    await this.#ask('wait');
  }

  get pid(): number {
    return this.#child.pid;
  }

  async report(): Promise<SubscriberReport> {
    return JSON.parse(await this.#ask('report')) as SubscriberReport;
  }

  async latencies(): Promise<Histogram> {
    return Histogram.from(JSON.parse(await this.#ask('latencies')) as HistogramReport);
  }

  /** From when each subscription was begun until it had its answer, refusals in between included, in microseconds. */
  async openings(): Promise<Histogram> {
    return Histogram.from(JSON.parse(await this.#ask('openings')) as HistogramReport);
  }

  /** Forgets all counts but those of the openings. The next publisher begins its sequences at 0. */
  async reset(): Promise<void> {
    await this.#ask('reset');
  }

  /** Notes from now on when connections have had `messages` messages. */
  async setTarget(messages: number): Promise<void> {
    await this.#ask(`target ${messages}`);
  }

  /** Waits until `done`, or until nothing has arrived for `quietMs`; the last report either way. */
  async until(
    done: (report: SubscriberReport) => boolean,
    quietMs = 3000,
    pauseMs = 20,
  ): Promise<SubscriberReport> {
    let report = await this.report();
    let changedMs = performance.now();
    while (!done(report) && performance.now() - changedMs < quietMs) {
      await delay(pauseMs);
      const next = await this.report();
      if (next.messages !== report.messages || next.open !== report.open) changedMs = performance.now();
      report = next;
    }
    return report;
  }

  async close(): Promise<void> {
    await this.#child.stop();
  }

  async #ask(command: string): Promise<string> {
    this.#child.tell(command);
    return this.#child.line();
  }
}
