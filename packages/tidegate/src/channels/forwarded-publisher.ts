import { ByteWriter, type Limits, type Line, type Metrics, TidegateError } from '../kernel/index.ts';
import { readOutcomes, readPublication, writeOutcomes, writePublication } from './event-message.ts';
import type { EventPublisher, PublishCallback, PublishedEvent } from './port.ts';
import { PublishMetrics } from './publish-metrics.ts';

const WRITER_BYTES = 16 * 1024;
const WRITER_BYTES_KEPT = 1 << 20;
/** What an event costs besides its data, its channel and its attributes. */
const EVENT_OVERHEAD_BYTES = 64;

/**
 * Publishes through the process that owns the log. Whole events go there and not records, since which topic stores a channel may change at any
 * moment, and only the owner knows what it is when the event is appended.
 */
export class ForwardedPublisher implements EventPublisher {
  readonly #line: Line;
  readonly #bytesPendingMax: number;
  readonly #metrics: PublishMetrics;
  readonly #writer = new ByteWriter(WRITER_BYTES, WRITER_BYTES_KEPT);
  #bytesPending = 0;

  constructor(line: Line, limits: Limits, metrics: Metrics) {
    this.#line = line;
    this.#bytesPendingMax = limits.appendBytesPendingMax;
    this.#metrics = new PublishMetrics(metrics);
  }

  publish(events: readonly PublishedEvent[], protocol: string, done: PublishCallback): void {
    // Who is refused costs nothing but this, since they come when there is too much to do.
    const size = sizeOf(events);
    if (this.#bytesPending > 0 && this.#bytesPending + size > this.#bytesPendingMax) {
      this.#refuse(events, protocol, new TidegateError('log_overloaded'), done);
      return;
    }
    this.#bytesPending += size;
    writePublication(events, protocol, this.#writer);
    // The line copies what it is given, so that nothing has to be taken out of the writer.
    this.#line.ask('publish', this.#writer.peek(), (error, answer) => {
      this.#bytesPending -= size;
      if (error === null) done(readOutcomes(answer, events));
      else this.#refuse(events, protocol, error, done);
    });
    this.#writer.clear();
  }

  #refuse(
    events: readonly PublishedEvent[],
    protocol: string,
    error: TidegateError,
    done: PublishCallback,
  ): void {
    this.#metrics.of(protocol).refused.add(events.length);
    done(events.map(() => error));
  }
}

/** About how many bytes the events take while they wait. */
function sizeOf(events: readonly PublishedEvent[]): number {
  let size = 0;
  for (const { channel, data, attributes } of events) {
    size += EVENT_OVERHEAD_BYTES + channel.length + (data === null ? 0 : data.length);
    for (const [name, value] of attributes) size += name.length + value.length;
  }
  return size;
}

/** Publishes what the process at the other end of the line forwards. */
export function servePublishes(line: Line, publisher: EventPublisher): void {
  const writer = new ByteWriter(WRITER_BYTES, WRITER_BYTES_KEPT);
  line.onAsked('publish', (question, answer) => {
    const { events, protocol } = readPublication(question);
    publisher.publish(events, protocol, (outcomes) => {
      writeOutcomes(outcomes, writer);
      answer(writer.take());
    });
  });
}
