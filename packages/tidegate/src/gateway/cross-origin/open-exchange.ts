import type { TidegateError } from '../../kernel/index.ts';
import { PassedExchange, problemResponse } from '../../listeners/index.ts';
import type {
  ByteChannel,
  ByteChannelOwner,
  HttpExchange,
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
export class OpenExchange extends PassedExchange {
  readonly #isPreflight: boolean;

  constructor(exchange: HttpExchange) {
    super(exchange);
    const { method, headers } = exchange.request;
    this.#isPreflight = method === 'OPTIONS' && headers.get('access-control-request-method') !== undefined;
  }

  override respond(status: number, headers: ResponseHeaders, body?: string | Uint8Array): void {
    const fields = pairsOf(headers);
    if (!this.#isAnsweredFor(status, fields)) super.respond(status, this.#opened(headers), body);
  }

  override fail(error: TidegateError, headers: ResponseHeaders = {}): void {
    const problem = problemResponse(error);
    const fields = [...pairsOf(problem.headers), ...pairsOf(headers)];
    if (this.#isAnsweredFor(problem.status, fields)) return;
    const added = headersOf(corsFields(this.request.headers, fields));
    super.fail(error, { ...headers, ...added });
  }

  override relay(head: RelayedHead, owner: RelayOwner): RelayedBody {
    const { status, reason, bodyBytes } = head;
    if (this.#isAnsweredFor(status, head.fields)) return NOWHERE(() => owner.closed());
    const fields = [...head.fields, ...corsFields(this.request.headers, head.fields)];
    return super.relay({ status, reason, fields, bodyBytes }, owner);
  }

  override stream(
    status: number,
    headers: ResponseHeaders,
    owner: ByteChannelOwner,
    framing: StreamFraming,
  ): ByteChannel {
    return super.stream(status, this.#opened(headers), owner, framing);
  }

  override converse(
    status: number,
    headers: ResponseHeaders,
    owner: ByteChannelOwner,
    framing: StreamFraming,
  ): ByteChannel {
    return super.converse(status, this.#opened(headers), owner, framing);
  }

  #opened(headers: ResponseHeaders): ResponseHeaders {
    const fields = pairsOf(headers);
    return headersOf([...fields, ...corsFields(this.request.headers, fields)]);
  }

  #isAnsweredFor(status: number, fields: readonly string[]): boolean {
    if (!this.#isPreflight || saysWhoMayRead(fields)) return false;
    if (status !== NOT_IMPLEMENTED && (status < 400 || status > 499)) return false;
    super.respond(NO_CONTENT, headersOf(corsFields(this.request.headers, [])));
    return true;
  }
}
