import { type Clock, TidegateError, type Timer } from '../../kernel/index.ts';
import type { HttpExchange, ResponseHeaders } from '../../listeners/index.ts';
import { answerFailure } from './failure.ts';
import type { LiveMetrics } from './live-metrics.ts';
import { JSON_TYPE, type LiveRequest, PATCH_TYPE } from './live-request.ts';
import type { LiveResource } from './live-resource.ts';
import type { LiveValue } from './live-value.ts';
import type { Subscriber } from './subscriber.ts';
import { NO_VERSION } from './version-ring.ts';

/** Stands for every version in If-None-Match (RFC 9110, section 13.1.2). */
const ANY = '*';

/** Somebody who asks for the next value, and is answered once. */
export class PollSubscriber implements Subscriber {
  readonly #resource: LiveResource;
  readonly #request: LiveRequest;
  readonly #clock: Clock;
  readonly #metrics: LiveMetrics;
  /** Until it is answered. */
  #exchange: HttpExchange | null;
  /** What the client has. */
  #version = NO_VERSION;
  #isWaiting = false;
  #timer: Timer | null = null;

  constructor(
    exchange: HttpExchange,
    resource: LiveResource,
    request: LiveRequest,
    clock: Clock,
    metrics: LiveMetrics,
  ) {
    this.#exchange = exchange;
    this.#resource = resource;
    this.#request = request;
    this.#clock = clock;
    this.#metrics = metrics;
  }

  /** To be called once. */
  begin(): void {
    // Nobody waits any more, or somebody who cannot be told from nobody: there is no reason to wait on.
    this.#exchange?.onAbandoned(() => this.#answer());
    this.#resource.enter(this);
  }

  ready(): void {
    if (this.#exchange === null) return;
    this.#version = this.#knownVersion();
    if (this.#resource.refusal !== null || !this.#hasCurrent() || this.#request.waitMs === 0) {
      this.#answer();
      return;
    }
    this.#isWaiting = true;
    this.#metrics.subscribers.poll++;
    this.#timer = this.#clock.setTimer(() => {
      this.#timer = null;
      this.#answer();
    }, this.#request.waitMs);
    this.#resource.follow(this);
  }

  /** What passes is not worth an answer: the client has the last value that there is. */
  changed(): void {
    if (this.#resource.refusal !== null || !this.#hasCurrent()) this.#answer();
  }

  draining(): void {
    this.#answer();
  }

  #knownVersion(): number {
    const { known } = this.#request;
    const resource = this.#resource;
    const newest = Math.max(NO_VERSION, ...known.map((id) => resource.placeOf(id)));
    if (newest !== NO_VERSION) return newest;
    // A client that comes from a plain answer knows the value by the origin's own tag.
    const tag = /"([^"]*)"/.exec(resource.originTag ?? '')?.[1];
    const isCurrent = known.includes(ANY) || (tag !== undefined && known.includes(tag));
    return isCurrent ? resource.ring.current : NO_VERSION;
  }

  #hasCurrent(): boolean {
    const { ring, value } = this.#resource;
    return value !== null && ring.idOf(this.#version) === value.id;
  }

  #answer(): void {
    const exchange = this.#exchange;
    if (exchange === null) return;
    this.#exchange = null;
    const { refusal, value } = this.#resource;
    if (refusal !== null) answerFailure(exchange, refusal);
    else if (value === null)
      exchange.fail(new TidegateError('upstream_timeout', 'The client did not wait for the origin.'));
    else this.#answerValue(exchange, value);
    this.#leave();
  }

  #answerValue(exchange: HttpExchange, value: LiveValue): void {
    const etag = `"${value.id}"`;
    const headers: ResponseHeaders = { 'cache-control': 'no-store', etag, vary: 'Accept, Prefer' };
    if (this.#hasCurrent()) {
      exchange.respond(304, headers);
    } else if (this.#request.answer === 'patch') {
      const patch = this.#resource.patchFrom(this.#version, value);
      exchange.respond(200, { ...headers, 'content-type': PATCH_TYPE }, patch);
    } else {
      exchange.respond(200, { ...headers, 'content-type': JSON_TYPE }, this.#resource.body);
    }
  }

  #leave(): void {
    if (this.#isWaiting) this.#metrics.subscribers.poll--;
    this.#isWaiting = false;
    if (this.#timer !== null) this.#clock.clearTimer(this.#timer);
    this.#timer = null;
    this.#resource.leave(this);
  }
}
