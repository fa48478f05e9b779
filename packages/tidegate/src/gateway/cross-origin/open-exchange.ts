import type { TidegateError } from '../../kernel/index.ts';
import { problemResponse } from '../../listeners/index.ts';
import type {
  ByteChannel,
  ByteChannelOwner,
  HttpExchange,
  HttpRequest,
  RelayedBody,
  RelayedHead,
  RelayOwner,
  ResponseHeaders,
  StreamFraming,
} from '../../listeners/port.ts';
import { headersOf, NOWHERE, pairsOf } from './answer-fields.ts';
import { corsFields, saysWhoMayRead } from './cors-fields.ts';

const NO_CONTENT = 204;
const NOT_IMPLEMENTED = 501;

/**
 * An exchange whose answer any page may read. What the origin says of that itself counts; a preflight that the origin has no use for, which
 * shows in its refusing the method or the lack of a credential, is answered in its place.
 */
export class OpenExchange implements HttpExchange {
  readonly request: HttpRequest;
  readonly #exchange: HttpExchange;
  readonly #isPreflight: boolean;

  constructor(exchange: HttpExchange) {
    const { method, headers } = exchange.request;
    this.request = exchange.request;
    this.#exchange = exchange;
    this.#isPreflight = method === 'OPTIONS' && headers.get('access-control-request-method') !== undefined;
  }

  respond(status: number, headers: ResponseHeaders, body?: string | Uint8Array): void {
    const fields = pairsOf(headers);
    if (!this.#isAnsweredFor(status, fields)) this.#exchange.respond(status, this.#opened(headers), body);
  }

  fail(error: TidegateError, headers: ResponseHeaders = {}): void {
    const problem = problemResponse(error);
    const fields = [...pairsOf(problem.headers), ...pairsOf(headers)];
    if (this.#isAnsweredFor(problem.status, fields)) return;
    const added = headersOf(corsFields(this.request.headers, fields));
    this.#exchange.fail(error, { ...headers, ...added });
  }

  relay(head: RelayedHead, owner: RelayOwner): RelayedBody {
    const { status, reason, bodyBytes } = head;
    if (this.#isAnsweredFor(status, head.fields)) return NOWHERE(() => owner.closed());
    const fields = [...head.fields, ...corsFields(this.request.headers, head.fields)];
    return this.#exchange.relay({ status, reason, fields, bodyBytes }, owner);
  }

  inform(status: number, fields: readonly string[]): void {
    this.#exchange.inform(status, fields);
  }

  stream(
    status: number,
    headers: ResponseHeaders,
    owner: ByteChannelOwner,
    framing: StreamFraming,
  ): ByteChannel {
    return this.#exchange.stream(status, this.#opened(headers), owner, framing);
  }

  converse(
    status: number,
    headers: ResponseHeaders,
    owner: ByteChannelOwner,
    framing: StreamFraming,
  ): ByteChannel {
    return this.#exchange.converse(status, this.#opened(headers), owner, framing);
  }

  upgrade(headers: ResponseHeaders, owner: ByteChannelOwner): ByteChannel {
    return this.#exchange.upgrade(headers, owner);
  }

  onAbandoned(callback: () => void): void {
    this.#exchange.onAbandoned(callback);
  }

  #opened(headers: ResponseHeaders): ResponseHeaders {
    const fields = pairsOf(headers);
    return headersOf([...fields, ...corsFields(this.request.headers, fields)]);
  }

  #isAnsweredFor(status: number, fields: readonly string[]): boolean {
    if (!this.#isPreflight || saysWhoMayRead(fields)) return false;
    if (status !== NOT_IMPLEMENTED && (status < 400 || status > 499)) return false;
    this.#exchange.respond(NO_CONTENT, headersOf(corsFields(this.request.headers, [])));
    return true;
  }
}
