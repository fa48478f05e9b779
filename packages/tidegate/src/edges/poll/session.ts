import type { Buffer } from 'node:buffer';
import type { EndReason, Sink, Subscription } from '../../channels/index.ts';
import { type Clock, TidegateError, type Timer } from '../../kernel/index.ts';
import type { HttpExchange, ResponseHeaders } from '../../listeners/port.ts';
import { cutPage, pageJson } from './codec.ts';

/** What bounds one poll. */
export interface PollBounds {
  readonly waitMs: number;
  readonly messagesMax: number;
  readonly bytesMax: number;
}

/**
 * One poll: collects until it has enough, or has all there is and something to say, or has waited long enough; then answers and
 * ends its subscription.
 */
export class PollSession implements Sink {
  readonly #exchange: HttpExchange;
  readonly #clock: Clock;
  readonly #bounds: PollBounds;
  readonly #collected: Buffer[] = [];
  #subscription: Subscription | null = null;
  #messages = 0;
  #bytes = 0;
  /** What was stored when the poll began has been collected. */
  #caughtUp = false;
  #state: 'collecting' | 'answering' | 'over' = 'collecting';
  #waitTimer: Timer | null = null;

  constructor(exchange: HttpExchange, clock: Clock, bounds: PollBounds) {
    this.#exchange = exchange;
    this.#clock = clock;
    this.#bounds = bounds;
  }

  begin(subscription: Subscription): void {
    this.#subscription = subscription;
    if (this.#bounds.waitMs > 0)
      this.#waitTimer = this.#clock.setTimer(() => this.#answer(), this.#bounds.waitMs);
    // Nobody waits any more, or somebody who cannot be told from nobody: there is no reason to wait on.
    this.#exchange.onAbandoned(() => this.#answer());
  }

  write(bytes: Buffer, messages: number): boolean {
    if (this.#state === 'over') return false;
    this.#collected.push(bytes);
    this.#messages += messages;
    this.#bytes += bytes.length;
    if (this.#isFull || this.#caughtUp) this.#answerSoon();
    return !this.#isFull;
  }

  caughtUp(): void {
    this.#caughtUp = true;
    if (this.#collected.length > 0 || this.#bounds.waitMs === 0) this.#answerSoon();
  }

  /** What was collected is worth having whatever the reason, and the next poll goes on from there. */
  ended(reason: EndReason): void {
    if (reason !== 'failed' || this.#collected.length > 0) {
      this.#answer();
      return;
    }
    // An empty page would make the client ask for the same again at once.
    this.#leave();
    this.#exchange.fail(new TidegateError('internal'));
  }

  get #isFull(): boolean {
    return this.#messages >= this.#bounds.messagesMax || this.#bytes >= this.#bounds.bytesMax;
  }

  /** Answers at the end of the turn, with all that the turn brings. */
  #answerSoon(): void {
    if (this.#state !== 'collecting') return;
    this.#state = 'answering';
    this.#clock.endOfTurn(() => this.#answer());
  }

  #answer(): void {
    if (this.#state === 'over') return;
    const page = cutPage(this.#collected, this.#bounds.messagesMax, this.#bounds.bytesMax);
    const next = page.cutCursor ?? this.#subscription?.cursor() ?? '';
    this.#leave();
    const etag = `"${next}"`;
    const headers: ResponseHeaders = {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      etag,
      vary: 'Accept',
    };
    // RFC 9110, section 13.1.2: the client has this answer already. Only an answer without messages can be the same again.
    const isKnown =
      page.elements.length === 0 && namesTag(this.#exchange.request.headers.get('if-none-match'), etag);
    if (isKnown) this.#exchange.respond(304, headers);
    else this.#exchange.respond(200, headers, pageJson(page, next));
  }

  #leave(): void {
    this.#state = 'over';
    this.#collected.length = 0;
    this.#subscription?.close();
    if (this.#waitTimer !== null) this.#clock.clearTimer(this.#waitTimer);
    this.#waitTimer = null;
  }
}

/**
 * Whether If-None-Match names a tag. Tags are compared weakly (RFC 9110, section 13.1.2), since proxies that compress make them
 * weak. A cursor has no comma in it.
 */
function namesTag(condition: string | undefined, etag: string): boolean {
  return condition?.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag) === true;
}
