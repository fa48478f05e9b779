import type { Buffer } from 'node:buffer';
import { type Liveness, TidegateError, type Watched } from '../../kernel/index.ts';
import type { ByteChannel, ByteChannelOwner, HttpExchange, ResponseHeaders } from '../../listeners/index.ts';
import { endOfStream, framingFor } from '../../wire/http1/index.ts';
import { answerFailure, type Failure } from './failure.ts';
import { framingOf, KEEP_ALIVES, PREAMBLES } from './frames.ts';
import type { LiveMetrics } from './live-metrics.ts';
import { SSE_TYPE } from './live-request.ts';
import type { LiveResource } from './live-resource.ts';
import type { Place, Subscriber } from './subscriber.ts';
import { NO_VERSION } from './version-ring.ts';

const HEADERS: ResponseHeaders = {
  'content-type': SSE_TYPE,
  // What a proxy compresses or holds back arrives late.
  'cache-control': 'no-store, no-transform',
  'x-accel-buffering': 'no',
  vary: 'Accept',
};

/** What all subscribers of a form share. */
export interface SubscriberContext {
  readonly liveness: Liveness;
  readonly metrics: LiveMetrics;
}

/** Somebody who follows a value as an event stream. */
export class SseSubscriber implements Subscriber, Place, ByteChannelOwner, Watched {
  slot = 0;
  version = NO_VERSION;
  told: Failure | null = null;
  readonly #resource: LiveResource;
  readonly #context: SubscriberContext;
  readonly #from: string;
  readonly #form: 'sse_chunked' | 'sse_close';
  /** Until it is answered. */
  #exchange: HttpExchange | null;
  #channel: ByteChannel | null = null;
  /** The transport holds more than it could send: what changes meanwhile is told in one once it has. */
  #isBlocked = false;

  /** @param from the id of the version that the client has; empty for none */
  constructor(exchange: HttpExchange, resource: LiveResource, from: string, context: SubscriberContext) {
    this.#exchange = exchange;
    this.#resource = resource;
    this.#from = from;
    this.#context = context;
    this.#form = framingFor(exchange.request.minorVersion) === 'chunked' ? 'sse_chunked' : 'sse_close';
  }

  /** To be called once. */
  begin(): void {
    this.#exchange?.onAbandoned(() => this.#abandoned());
    this.#resource.enter(this);
  }

  /** A client that has only ended its side must not be left without an answer. */
  #abandoned(): void {
    this.#resource.leave(this);
    this.#exchange?.fail(new TidegateError('upstream_timeout', 'The client did not wait for the origin.'));
    this.#exchange = null;
  }

  // --- The resource's side. ---

  ready(): void {
    const exchange = this.#exchange;
    const { refusal } = this.#resource;
    this.#exchange = null;
    if (exchange === null) return;
    if (refusal !== null) {
      answerFailure(exchange, refusal);
      return;
    }
    const framing = framingOf(this.#form);
    this.#channel = exchange.stream(200, HEADERS, this, framing);
    this.version = this.#resource.placeOf(this.#from);
    this.#context.metrics.subscribers.sse++;
    this.#context.liveness.add(this);
    this.#resource.follow(this);
    this.#write(PREAMBLES[framing]);
    this.changed();
  }

  changed(): void {
    if (this.#isBlocked || this.#channel === null) return;
    const news = this.#resource.news(this.#form, this);
    if (news.length > 0) this.#write(news);
  }

  draining(): void {
    this.#resource.leave(this);
    this.#channel?.end(endOfStream(framingOf(this.#form)));
  }

  // --- The connection's side. ---

  received(): void {}

  receivedEnd(): void {}

  drained(): void {
    this.#isBlocked = false;
    this.changed();
  }

  closed(): void {
    this.#channel = null;
    this.#context.metrics.subscribers.sse--;
    this.#context.liveness.delete(this);
    this.#resource.leave(this);
  }

  // --- Signs of life. ---

  visited(): void {
    if (!this.#isBlocked) this.#write(KEEP_ALIVES[framingOf(this.#form)]);
  }

  closeTimedOut(): void {}

  #write(bytes: Buffer): void {
    if (this.#channel?.write(bytes) === false) this.#isBlocked = true;
  }
}
