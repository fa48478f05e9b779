import type { Buffer } from 'node:buffer';
import type { Channels, PublishedEvent, PublishReceipt } from '../../channels/index.ts';
import { ByteWriter, type Limits, TidegateError } from '../../kernel/index.ts';
import type {
  BodyReceiver,
  ByteChannel,
  ByteChannelOwner,
  HttpExchange,
  ResponseHeaders,
  StreamFraming,
} from '../../listeners/port.ts';
import { beginFlush, endFlush, endOfStream, framingFor } from '../../wire/http1/index.ts';
import { outcomeJson } from './codec.ts';
import { readSingleEntry } from './entries.ts';
import type { EntryRules } from './event-of-entry.ts';
import { type LineReceiver, LineSplitter } from './line-splitter.ts';
import { publishEntries } from './session.ts';

const HEADERS: ResponseHeaders = {
  'content-type': 'application/x-ndjson',
  'cache-control': 'no-store, no-transform',
  'x-accel-buffering': 'no',
};

type Outcome = PublishReceipt | TidegateError;

/** The lines of one slice, published together. Their outcomes come later, and are told in the order of the slices. */
interface Delivery {
  readonly bytes: number;
  outcomes: readonly Outcome[] | null;
}

/** Why the client is not read for now. */
type Pause = 'log is behind' | 'client does not read its answers';

/**
 * Publishes an NDJSON stream: each line is an event, each is answered by a line, in order, once it is stored. A line that is not
 * an event is answered with its error, and the stream goes on. It may last as long as it likes: neither what waits for the
 * log nor what waits for the client to read grows beyond a bound.
 */
export class LinesPublish implements BodyReceiver, LineReceiver, ByteChannelOwner {
  readonly #exchange: HttpExchange;
  readonly #channels: Channels;
  readonly #limits: Limits;
  readonly #rules: EntryRules;
  readonly #framing: StreamFraming;
  readonly #splitter: LineSplitter;
  readonly #out = new ByteWriter();
  /** The response; null until the first bytes arrive, since before that the client may still await 100 (Continue). */
  #answers: ByteChannel | null = null;
  #entries: (PublishedEvent | TidegateError)[] = [];
  readonly #deliveries: Delivery[] = [];
  #waitingBytes = 0;
  readonly #pauses = new Set<Pause>();
  #state: 'receiving' | 'received' | 'ended' = 'receiving';
  /** Why no more lines are taken, where that is not because the client sent all. */
  #failure: TidegateError | null = null;

  constructor(
    exchange: HttpExchange,
    channels: Channels,
    limits: Limits,
    rules: EntryRules,
    lineBytesMax: number,
  ) {
    this.#exchange = exchange;
    this.#channels = channels;
    this.#limits = limits;
    this.#rules = rules;
    this.#framing = framingFor(exchange.request.minorVersion);
    this.#splitter = new LineSplitter(lineBytesMax, this);
  }

  // --- The body. ---

  data(slice: Buffer): void {
    if (this.#state !== 'receiving') return;
    this.#begin();
    this.#splitter.push(slice);
    this.#publish(slice.length);
  }

  end(): void {
    if (this.#state !== 'receiving') return;
    this.#begin();
    this.#splitter.end();
    this.#publish(0);
    this.#receivedAll(null);
  }

  failed(error: TidegateError): void {
    if (this.#answers === null) {
      this.#state = 'ended';
      this.#exchange.fail(error);
    } else if (this.#state === 'receiving') {
      this.#receivedAll(error);
    }
  }

  line(bytes: Buffer, start: number, end: number): void {
    const line = bytes.subarray(start, end);
    if (isBlank(line)) return;
    try {
      this.#entries.push(readSingleEntry(line, this.#rules));
    } catch (error) {
      if (!(error instanceof TidegateError)) throw error;
      this.#entries.push(error);
    }
  }

  tooLong(): void {
    this.#entries.push(new TidegateError('body_too_large', 'The line is longer than one event may be'));
  }

  #begin(): void {
    this.#answers ??= this.#exchange.converse(200, HEADERS, this, this.#framing);
  }

  #publish(bytes: number): void {
    const entries = this.#entries;
    if (entries.length === 0) return;
    this.#entries = [];
    const delivery: Delivery = { bytes, outcomes: null };
    this.#deliveries.push(delivery);
    this.#waitingBytes += bytes;
    if (this.#waitingBytes >= this.#limits.publishStreamBytesMax) this.#pause('log is behind');
    publishEntries(this.#channels, entries, (outcomes) => {
      delivery.outcomes = outcomes;
      this.#answer();
    });
  }

  #receivedAll(failure: TidegateError | null): void {
    this.#state = 'received';
    this.#failure = failure;
    this.#answer();
  }

  // --- The answers. ---

  /** Tells what is known, up to the first lines whose outcome is not. */
  #answer(): void {
    if (this.#state === 'ended' || this.#answers === null) return;
    let text = '';
    while (this.#deliveries.length > 0 && this.#deliveries[0].outcomes !== null) {
      const delivery = this.#deliveries.shift() as Delivery;
      this.#waitingBytes -= delivery.bytes;
      for (const outcome of delivery.outcomes ?? []) text += `${outcomeJson(outcome)}\n`;
    }
    if (this.#waitingBytes < this.#limits.publishStreamBytesMax) this.#goOn('log is behind');
    const complete = this.#state === 'received' && this.#deliveries.length === 0;
    if (complete && this.#failure !== null) text += `${outcomeJson(this.#failure)}\n`;
    if (text !== '' && !this.#answers.write(this.#framed(text)))
      this.#pause('client does not read its answers');
    if (complete) {
      this.#state = 'ended';
      this.#answers.end(endOfStream(this.#framing));
    }
  }

  #framed(text: string): Buffer {
    beginFlush(this.#out, this.#framing);
    this.#out.utf8(text);
    endFlush(this.#out, this.#framing);
    return this.#out.take();
  }

  #pause(reason: Pause): void {
    this.#pauses.add(reason);
    this.#exchange.request.body.pause();
  }

  #goOn(reason: Pause): void {
    if (this.#pauses.delete(reason) && this.#pauses.size === 0) this.#exchange.request.body.resume();
  }

  // --- The connection. ---

  received(): void {}

  receivedEnd(): void {}

  drained(): void {
    this.#goOn('client does not read its answers');
  }

  closed(): void {
    this.#state = 'ended';
  }

  draining(): void {
    if (this.#state === 'receiving') this.#receivedAll(new TidegateError('draining'));
  }
}

function isBlank(line: Buffer): boolean {
  for (const byte of line) if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0d) return false;
  return true;
}
