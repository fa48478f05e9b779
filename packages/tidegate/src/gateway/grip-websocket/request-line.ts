import type { Buffer } from 'node:buffer';
import type { GripRoute } from '../grip/port.ts';
import type { OriginRequest } from '../origin/exchange.ts';
import { Alarms } from './alarms.ts';
import { type EventsOutcome, EventsRequest } from './events-request.ts';
import type { SocketContext } from './socket-context.ts';

/** By how much a pause is longer at most, so that the connections of an origin that was away do not all come back at once. */
const JITTER_SHARE = 0.5;
const UINT32_RANGE = 2 ** 32;

/** The requests of one WebSocket, one at a time. One that has not reached the origin is made again. */
export class RequestLine {
  readonly #context: SocketContext;
  readonly #route: GripRoute;
  readonly #answered: (outcome: EventsOutcome) => void;
  readonly #alarms: Alarms<'retry'>;
  #request: EventsRequest | null = null;
  /** What is asked again when the alarm rings. */
  #again: { readonly request: OriginRequest; readonly body: Buffer } | null = null;
  #retries = 0;
  #retriesMax: number;

  /** @param answered comes once for each `ask`, in which nothing is under way any more */
  constructor(context: SocketContext, route: GripRoute, answered: (outcome: EventsOutcome) => void) {
    this.#context = context;
    this.#route = route;
    this.#answered = answered;
    this.#alarms = new Alarms(context.deadlines, () => this.#askAgain());
    this.#retriesMax = context.limits.gripSocketRetriesMax;
  }

  get isBusy(): boolean {
    return this.#request !== null || this.#again !== null;
  }

  /** The origin was not reached, and is to be asked again. */
  get isPausing(): boolean {
    return this.#again !== null;
  }

  /** To be called only while it is not busy. */
  ask(request: OriginRequest, body: Buffer): void {
    const { limits } = this.#context;
    const asked = new EventsRequest(body, limits.webSocketEventsBytesMax, (outcome) => {
      this.#request = null;
      if (outcome.kind === 'failure' && outcome.taken === 'no' && this.#retries < this.#retriesMax) {
        this.#pause(request, body);
        return;
      }
      this.#retries = 0;
      this.#answered(outcome);
    });
    this.#request = asked;
    asked.begin(request, (sent, receiver) => this.#route.ask(sent, receiver));
  }

  /** From now on, what does not reach the origin fails at once. */
  stopRetrying(): void {
    this.#retriesMax = 0;
  }

  /** Gives up what is under way. Nothing is told any more. */
  close(): void {
    this.#alarms.clearAll();
    this.#again = null;
    const request = this.#request;
    this.#request = null;
    request?.abort();
  }

  #pause(request: OriginRequest, body: Buffer): void {
    const { random, limits, metrics } = this.#context;
    this.#again = { request, body };
    const delayMs = limits.gripSocketRetryDelayMs * 2 ** this.#retries;
    this.#retries++;
    metrics.originRetries.add(1);
    this.#alarms.set('retry', delayMs * (1 + JITTER_SHARE * (random.uint32() / UINT32_RANGE)));
  }

  #askAgain(): void {
    const again = this.#again;
    this.#again = null;
    if (again !== null) this.ask(again.request, again.body);
  }
}
