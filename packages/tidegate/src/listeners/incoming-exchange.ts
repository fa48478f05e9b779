import { TidegateError } from '../kernel/index.ts';
import type {
  ByteChannel,
  ByteChannelOwner,
  HttpExchange,
  HttpRequest,
  RelayedBody,
  RelayedHead,
  RelayOwner,
  RequestBody,
  ResponseHeaders,
  StreamFraming,
} from './port.ts';
import { problemResponse } from './problem.ts';
import { CLOSED_CHANNEL } from './socket-channel.ts';
import type { RequestSource } from './trusted-proxies.ts';

/** What an exchange asks of the connection that it came on. */
export interface ExchangeCarrier
  extends Pick<HttpExchange, 'stream' | 'converse' | 'upgrade' | 'relay' | 'inform'> {
  respond(status: number, headers: ResponseHeaders, body: string | Uint8Array): void;
}

/** A request whose body can be told that the rest of it will not come. */
export interface CarriedRequest extends HttpRequest {
  readonly body: RequestBody & { fail(reason: TidegateError): void };
  /** Trusted proxies have passed it on, and say where it comes from. To be called before anybody looks at it. */
  comesFrom(source: RequestSource): void;
}

/** One request and the means to answer it. Once answered or abandoned it holds on to nothing but the request. */
export class IncomingExchange implements HttpExchange {
  readonly request: CarriedRequest;
  #carrier: ExchangeCarrier | null;
  #state: 'open' | 'answered' | 'abandoned' = 'open';
  #abandoned: (() => void) | null = null;

  constructor(request: CarriedRequest, carrier: ExchangeCarrier) {
    this.request = request;
    this.#carrier = carrier;
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  respond(status: number, headers: ResponseHeaders, body: string | Uint8Array = ''): void {
    const carrier = this.#carrierToAnswer();
    if (carrier === null) return;
    carrier.respond(status, headers, body);
  }

  fail(error: TidegateError, headers?: ResponseHeaders): void {
    const problem = problemResponse(error);
    this.respond(
      problem.status,
      headers === undefined ? problem.headers : { ...problem.headers, ...headers },
      problem.body,
    );
  }

  relay(head: RelayedHead, owner: RelayOwner): RelayedBody {
    const carrier = this.#carrierToAnswer();
    return carrier === null ? closedRelay(owner) : carrier.relay(head, owner);
  }

  inform(status: number, fields: readonly string[]): void {
    if (this.#state === 'open') this.#carrier?.inform(status, fields);
  }

  stream(
    status: number,
    headers: ResponseHeaders,
    owner: ByteChannelOwner,
    framing: StreamFraming,
  ): ByteChannel {
    const carrier = this.#carrierToAnswer();
    return carrier === null ? closedChannel(owner) : carrier.stream(status, headers, owner, framing);
  }

  converse(
    status: number,
    headers: ResponseHeaders,
    owner: ByteChannelOwner,
    framing: StreamFraming,
  ): ByteChannel {
    const carrier = this.#carrierToAnswer();
    return carrier === null ? closedChannel(owner) : carrier.converse(status, headers, owner, framing);
  }

  upgrade(headers: ResponseHeaders, owner: ByteChannelOwner): ByteChannel {
    const carrier = this.#carrierToAnswer();
    return carrier === null ? closedChannel(owner) : carrier.upgrade(headers, owner);
  }

  onAbandoned(callback: () => void): void {
    if (this.#state === 'abandoned') queueMicrotask(callback);
    else if (this.#state === 'open') this.#abandoned = callback;
  }

  /** The response is on its way; the body may still arrive. */
  answered(): void {
    this.#state = 'answered';
    this.#carrier = null;
    this.#abandoned = null;
  }

  /** The client has ended its side. Returns whether there was somebody to tell. */
  clientEnded(): boolean {
    const callback = this.#abandoned;
    this.#abandoned = null;
    callback?.();
    return callback !== null;
  }

  /** The client has left: answers are dropped from now on. `reason` is for who receives the body. */
  abandon(reason: TidegateError): void {
    if (this.#state === 'open') this.#state = 'abandoned';
    this.#carrier = null;
    const callback = this.#abandoned;
    this.#abandoned = null;
    this.request.body.fail(reason);
    callback?.();
  }

  #carrierToAnswer(): ExchangeCarrier | null {
    if (this.#state === 'answered') throw new TidegateError('internal', 'A request was answered twice.');
    return this.#carrier;
  }
}

/** The body of a response to a client that has left. */
const CLOSED_RELAY: RelayedBody = { write: () => false, end() {}, abort() {} };

/** As `closedChannel`, for a relayed response. */
export function closedRelay(owner: RelayOwner): RelayedBody {
  queueMicrotask(() => owner.closed());
  return CLOSED_RELAY;
}

/** The channel of a client that has left: its owner hears so once the call that asked for it has returned. */
export function closedChannel(owner: ByteChannelOwner): ByteChannel {
  queueMicrotask(() => owner.closed());
  return CLOSED_CHANNEL;
}

/** RFC 9112, section 8: what the client began and did not end. */
export function incomplete(): TidegateError {
  return new TidegateError(
    'http_malformed',
    'The client ended the connection before the request was complete.',
  );
}
