import { Buffer } from 'node:buffer';
import { EMPTY, TidegateError } from '../../kernel/index.ts';
import type {
  ByteChannel,
  ByteChannelOwner,
  Headers,
  HttpExchange,
  HttpRequest,
  RelayedBody,
  RelayedHead,
  RelayOwner,
  RequestBody,
  ResponseHeaders,
} from '../../listeners/port.ts';
import { WEBSOCKET_VERSION } from '../../wire/websocket/index.ts';
import { FieldList } from '../cache/field-list.ts';
import { headersOf, pairsOf } from '../cross-origin/answer-fields.ts';
import { connectionOptions, isHopByHop } from '../origin/hop-by-hop.ts';
import type { SockJsContext } from './context.ts';
import type { OriginClient } from './origin-client.ts';

/** What an origin learns of the client of a session: what the request said by which it began. */
export interface Visitor {
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly remoteAddress: string;
  readonly proxies: readonly string[];
  /** Names (lower case) and values in turn, without those that belong to the request alone. */
  readonly fields: readonly string[];
}

/** Of one request, and not of the session that it begins. */
const OF_REQUEST = /^(?:accept|accept-encoding|content-.*|expect|sec-websocket-(?:extensions|key|version))$/;

/** The fields of a request that an origin is to see in the handshake, too. */
export function visitorOf({ scheme, host, remoteAddress, proxies, headers }: HttpRequest): Visitor {
  return { scheme, host, remoteAddress, proxies, fields: lastingFields(headers) };
}

function lastingFields(headers: Headers): readonly string[] {
  const fields: string[] = [];
  const named = connectionOptions(headers);
  for (let index = 0; index < headers.count; index++) {
    const name = headers.name(index);
    if (isHopByHop(headers, index) || named?.has(name) === true || OF_REQUEST.test(name)) continue;
    fields.push(name, headers.value(index));
  }
  return fields;
}

const NO_BODY: RequestBody = {
  lengthBytes: 0,
  receive(receiver) {
    receiver.end(null);
  },
  pause() {},
  resume() {},
};

/** The handshake of a client within the server, as the route gets it. */
export class HandshakeExchange implements HttpExchange {
  readonly request: HttpRequest;
  readonly #client: OriginClient;
  readonly #context: SockJsContext;

  /** @param target path and query */
  constructor(client: OriginClient, visitor: Visitor, target: string, context: SockJsContext) {
    const [path] = target.split('?', 1);
    this.#client = client;
    this.#context = context;
    this.request = {
      method: 'GET',
      target,
      path,
      query: new URLSearchParams(target.slice(path.length)),
      host: visitor.host,
      headers: new FieldList([
        ...visitor.fields,
        ...['connection', 'Upgrade', 'upgrade', 'websocket'],
        ...['sec-websocket-version', WEBSOCKET_VERSION, 'sec-websocket-key', client.key],
      ]),
      body: NO_BODY,
      majorVersion: 1,
      minorVersion: 1,
      scheme: visitor.scheme,
      remoteAddress: visitor.remoteAddress,
      proxies: visitor.proxies,
      clientCertificate: null,
    };
  }

  respond(status: number, headers: ResponseHeaders, body: string | Uint8Array = EMPTY): void {
    this.#client.refused({ status, fields: pairsOf(headers), body: Buffer.from(body as Uint8Array) });
  }

  fail(error: TidegateError, headers: ResponseHeaders = {}): void {
    this.#client.failed(error, headers);
  }

  /** What is not a WebSocket is collected: it is the answer to the request by which the session was to begin. */
  relay({ status, fields }: RelayedHead, owner: RelayOwner): RelayedBody {
    const { clock, limits } = this.#context;
    const bytesMax = limits.gripSocketRejectionBytesMax;
    const parts: Buffer[] = [];
    let bytes = 0;
    return {
      write: (slice) => {
        bytes += slice.length;
        if (bytes <= bytesMax) parts.push(slice);
        else this.#fail(`The answer that refuses the WebSocket has more than ${bytesMax} bytes.`);
        return true;
      },
      end: () => {
        this.#client.refused({ status, fields, body: Buffer.concat(parts) });
        clock.soon(() => owner.closed());
      },
      abort: () => {
        this.#fail('The answer that refuses the WebSocket ended early.');
        clock.soon(() => owner.closed());
      },
    };
  }

  inform(): void {}

  stream(_status: number, _headers: ResponseHeaders, owner: ByteChannelOwner): ByteChannel {
    this.#fail('The answer to the handshake of a WebSocket is a stream.');
    return this.#client.accepted({}, owner);
  }

  converse(status: number, headers: ResponseHeaders, owner: ByteChannelOwner): ByteChannel {
    return this.stream(status, headers, owner);
  }

  upgrade(headers: ResponseHeaders, owner: ByteChannelOwner): ByteChannel {
    // Origins spell the names as they like.
    return this.#client.accepted(headersOf(pairsOf(headers)), owner);
  }

  onAbandoned(callback: () => void): void {
    this.#client.onAbandoned(callback);
  }

  #fail(detail: string): void {
    this.#client.failed(new TidegateError('upstream_malformed', detail));
  }
}
