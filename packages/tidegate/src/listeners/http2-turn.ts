import type { ServerHttp2Stream } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { TidegateError } from '../kernel/index.ts';
import type { ListenerContext } from './connection-registry.ts';
import { Http2Body } from './http2-body.ts';
import { Http2Channel } from './http2-channel.ts';
import type { Http2Head } from './http2-head.ts';
import { Http2Relay, http2Fields } from './http2-relay.ts';
import { Http2Request } from './http2-request.ts';
import { dropStream, Http2Response, http2ResponseHead } from './http2-response.ts';
import { closedChannel, closedRelay, type ExchangeCarrier, IncomingExchange } from './incoming-exchange.ts';
import type {
  ByteChannel,
  ByteChannelOwner,
  RelayedBody,
  RelayedHead,
  RelayOwner,
  ResponseHeaders,
} from './port.ts';
import { ignoreError } from './socket-channel.ts';

/** What a turn needs of the connection that it is a turn of. */
export interface Http2TurnHost {
  readonly socket: TLSSocket;
  readonly context: ListenerContext;
  /** The turn's stream is gone. */
  ended(turn: Http2Turn): void;
}

/** One request's turn on its stream, beside others on the same connection. */
export class Http2Turn implements ExchangeCarrier {
  readonly exchange: IncomingExchange;
  readonly #stream: ServerHttp2Stream;
  readonly #host: Http2TurnHost;
  readonly #head: Http2Head;
  readonly #body: Http2Body;
  #response: Http2Response | null = null;
  #channel: Http2Channel | null = null;
  #relay: Http2Relay | null = null;

  constructor(stream: ServerHttp2Stream, head: Http2Head, host: Http2TurnHost) {
    this.#stream = stream;
    this.#head = head;
    this.#host = host;
    this.#body = new Http2Body(stream, head, host.context, (error) => this.escaped(error));
    this.exchange = new IncomingExchange(new Http2Request(head, this.#body, host.socket), this);
    stream.on('error', ignoreError);
    stream.once('close', () => this.#closed());
  }

  // --- What the connection tells. ---

  draining(): void {
    this.#channel?.draining();
  }

  /** An error has escaped from the handler or from what it gave to receive the body. */
  escaped(error: unknown): void {
    this.#log(error);
    if (this.exchange.isOpen) this.exchange.fail(TidegateError.from(error));
    else if (this.#channel !== null || this.#relay !== null) dropStream(this.#stream);
  }

  #closed(): void {
    try {
      this.exchange.abandon(
        new TidegateError('http_malformed', 'The client took the request back before it was complete.'),
      );
      this.#channel?.closed();
      this.#relay?.closed();
    } catch (error) {
      this.#log(error);
    }
    this.#body.abandon();
    this.#response?.closed();
    if (this.#channel !== null) this.#host.context.connections.heldStreams--;
    this.#host.ended(this);
  }

  #log(error: unknown): void {
    if (error instanceof TidegateError && error.entry.blame === 'client') return;
    const { method, path } = this.exchange.request;
    this.#host.context.logger.error({ error, method, path }, 'A handler failed');
  }

  // --- What the exchange asks. ---

  respond(status: number, headers: ResponseHeaders, body: string | Uint8Array): void {
    if (this.#isGone) return;
    this.#response = new Http2Response(this.#stream, this.#body, this.#host.context);
    this.#response.send(status, headers, body, this.#head.method);
    this.#answered(status);
    this.#body.abandon();
  }

  relay(head: RelayedHead, owner: RelayOwner): RelayedBody {
    if (this.#isGone) return closedRelay(owner);
    const relay = new Http2Relay(this.#stream, head, this.#head.method, {
      body: this.#body,
      owner,
      context: this.#host.context,
    });
    this.#relay = relay;
    this.#answered(head.status);
    return relay;
  }

  inform(status: number, fields: readonly string[]): void {
    if (!this.#isGone) this.#stream.additionalHeaders({ ':status': status, ...http2Fields(fields) });
  }

  stream(status: number, headers: ResponseHeaders, owner: ByteChannelOwner): ByteChannel {
    if (this.#isGone) return closedChannel(owner);
    const { connections, date } = this.#host.context;
    const endStream = this.#head.method === 'HEAD';
    this.#stream.respond(http2ResponseHead(status, headers, date.value()), { endStream });
    this.#answered(status);
    if (endStream) return closedChannel(owner);
    this.#channel = new Http2Channel(this.#stream, this.#body, owner, this.#host.context);
    connections.heldStreams++;
    if (connections.draining) queueMicrotask(() => owner.draining());
    return this.#channel;
  }

  /** Streams of HTTP/2 go both ways by themselves. */
  converse(status: number, headers: ResponseHeaders, owner: ByteChannelOwner): ByteChannel {
    return this.stream(status, headers, owner);
  }

  upgrade(): ByteChannel {
    throw new TidegateError('upgrade_invalid', 'HTTP/2 has no upgrade.');
  }

  #answered(status: number): void {
    this.#host.context.metrics.answered(this.#head.method, status);
    this.exchange.answered();
  }

  /** The client has left, and the news of it is on its way. */
  get #isGone(): boolean {
    return this.#stream.closed || this.#stream.destroyed;
  }
}
