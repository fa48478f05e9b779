import { TidegateError } from '../kernel/index.ts';
import { OriginPolicy } from './origin-policy.ts';
import { PassedExchange } from './passed-exchange.ts';
import type {
  ByteChannel,
  ByteChannelOwner,
  HttpExchange,
  HttpHandler,
  HttpRequest,
  RelayedBody,
  RelayedHead,
  RelayOwner,
  ResponseHeaders,
  StreamFraming,
} from './port.ts';

export interface CrossOriginOptions {
  /** Origins whose pages may use the server besides its own, such as `https://app.example.com`; `*` allows any. */
  readonly origins: readonly string[];
}

const METHODS = 'GET, HEAD, POST';

/** How long a browser may remember the answer to a preflight, in seconds; browsers cap it at 10 minutes to a day. */
const PREFLIGHT_MAX_AGE = '7200';

const FIELD_NAMES = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+(?:[ \t]*,[ \t]*[!#$%&'*+.^_`|~0-9A-Za-z-]+)*$/;

/**
 * Lets only the pages of allowed origins through to `handler` (see `OriginPolicy`), answers their preflights, and adds
 * the fields by which the browser lets them read the answers. Others get 403 origin_forbidden, for every method and for
 * WebSocket handshakes too, which browsers do not guard at all.
 */
export function withCrossOrigin(handler: HttpHandler, options: CrossOriginOptions): HttpHandler {
  const policy = new OriginPolicy(options.origins);
  return (exchange) => {
    const { headers, method } = exchange.request;
    const origin = headers.get('origin');
    const host = exchange.request.host === '' ? undefined : exchange.request.host;
    if (!policy.allows(origin, host, exchange.request)) {
      exchange.fail(new TidegateError('origin_forbidden', refusal(origin, host)), { vary: 'Origin' });
      return;
    }
    if (origin === undefined) {
      handler(exchange);
      return;
    }
    const allowed = new CrossOriginExchange(exchange, origin);
    if (method === 'OPTIONS' && headers.get('access-control-request-method') !== undefined) {
      allowed.respond(204, preflightHeaders(exchange.request));
      return;
    }
    try {
      handler(allowed);
    } catch (error) {
      // Answered here, because the listener's own answer would lack the fields that let the page read it.
      if (!allowed.isAnswered) allowed.fail(TidegateError.from(error));
      throw error;
    }
  };
}

function refusal(origin: string | undefined, host: string | undefined): string {
  return origin === undefined
    ? `The server is not known as ${host}.`
    : `The origin is ${origin}, and the request was sent to ${host}.`;
}

function preflightHeaders({ headers }: HttpRequest): ResponseHeaders {
  const asked = headers.get('access-control-request-headers');
  return {
    'access-control-allow-methods': METHODS,
    // CloudEvents attributes are header fields with names of the publisher's own, so that no list could name them.
    ...(asked !== undefined && FIELD_NAMES.test(asked) ? { 'access-control-allow-headers': asked } : {}),
    'access-control-max-age': PREFLIGHT_MAX_AGE,
    // A page of a public site that reaches into a private network is asked about separately.
    ...(headers.get('access-control-request-private-network') === 'true'
      ? { 'access-control-allow-private-network': 'true' }
      : {}),
  };
}

/** An exchange whose answers the page that asked may read. */
class CrossOriginExchange extends PassedExchange {
  isAnswered = false;
  readonly #origin: string;

  constructor(exchange: HttpExchange, origin: string) {
    super(exchange);
    this.#origin = origin;
  }

  override respond(status: number, headers: ResponseHeaders, body?: string | Uint8Array): void {
    super.respond(status, this.#readable(headers), body);
    this.isAnswered = true;
  }

  override fail(error: TidegateError, headers: ResponseHeaders = {}): void {
    super.fail(error, this.#readable(headers));
    this.isAnswered = true;
  }

  override relay(head: RelayedHead, owner: RelayOwner): RelayedBody {
    const { status, reason, bodyBytes } = head;
    const fields = [...head.fields];
    for (const [name, value] of Object.entries(this.#readable({}))) fields.push(name, String(value));
    const body = super.relay({ status, reason, fields, bodyBytes }, owner);
    this.isAnswered = true;
    return body;
  }

  override stream(
    status: number,
    headers: ResponseHeaders,
    owner: ByteChannelOwner,
    framing: StreamFraming,
  ): ByteChannel {
    const channel = super.stream(status, this.#readable(headers), owner, framing);
    this.isAnswered = true;
    return channel;
  }

  override converse(
    status: number,
    headers: ResponseHeaders,
    owner: ByteChannelOwner,
    framing: StreamFraming,
  ): ByteChannel {
    const channel = super.converse(status, this.#readable(headers), owner, framing);
    this.isAnswered = true;
    return channel;
  }

  override upgrade(headers: ResponseHeaders, owner: ByteChannelOwner): ByteChannel {
    const channel = super.upgrade(headers, owner);
    this.isAnswered = true;
    return channel;
  }

  #readable(headers: ResponseHeaders): ResponseHeaders {
    const vary = headers.vary;
    return {
      ...headers,
      'access-control-allow-origin': this.#origin,
      // Credentials are never allowed, so that the wildcard means every field.
      'access-control-expose-headers': '*',
      vary: vary === undefined ? 'Origin' : [...(typeof vary === 'string' ? [vary] : vary), 'Origin'],
    };
  }
}
