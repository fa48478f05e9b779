import { Buffer } from 'node:buffer';
import type { Access } from '../../access/port.ts';
import type { Channels, PresenceList } from '../../channels/index.ts';
import {
  type Clock,
  type Limits,
  Liveness,
  type Metrics,
  type Random,
  TidegateError,
} from '../../kernel/index.ts';
import type { HttpExchange, ResponseHeaders, StreamFraming } from '../../listeners/port.ts';
import { framingFor } from '../../wire/http1/index.ts';
import { acceptHandshake, ReceiverPool, WEBSOCKET_VERSION } from '../../wire/websocket/index.ts';
import { credentialOf, withoutCredential } from '../authentication.ts';
import { BodyCollector } from '../body-collector.ts';
import { ApiEdge } from './api-edge.ts';
import { type Carrier, sseCarrier, streamCarrier, webSocketCarrier } from './carrier.ts';
import { ClientMetrics } from './client-metrics.ts';
import type { Arrival } from './client-transport.ts';
import { ClientRegistry } from './clients.ts';
import type { Codec } from './codec.ts';
import { jsonCodec } from './codec-json.ts';
import { protobufCodec } from './codec-protobuf.ts';
import type { RpcHandler, SessionContext } from './context.ts';
import { type EmulationRequest, readEmulationRequest } from './emulation.ts';
import { Format } from './format.ts';
import { OwnConnections } from './own-connections.ts';
import { createPageEncoder } from './page-encoder.ts';
import type { EmulationOutcome, OtherProcesses } from './processes.ts';
import { type ClientInfo, MalformedCommand } from './protocol.ts';
import { StreamClient } from './stream-client.ts';
import { randomUuid } from './uuid.ts';
import { WebSocketClient } from './websocket-client.ts';

/** What the edge needs. */
export interface CentrifugeEdgeOptions {
  /** Unguarded, for the server API. */
  readonly channels: Channels;
  readonly access: Access;
  readonly presence: PresenceList<ClientInfo>;
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: Limits;
  readonly metrics: Metrics;
  /** What clients are told of the server's version, such as `0.1.0`. */
  readonly version: string;
  /** The other processes of the server; null if there are none. */
  readonly processes: OtherProcesses | null;
  /** Answers RPC commands. Without one they are answered with 108, not available. */
  readonly rpc?: RpcHandler;
}

const SUBPROTOCOLS = { 'centrifuge-json': 'json', 'centrifuge-protobuf': 'protobuf' } as const;
/** The query parameters that choose the encoding where a client cannot name a subprotocol. */
const FORMAT_PARAMETERS = ['cf_protocol', 'format'];
/** The query parameter by which a client asks for ping frames of WebSocket, as it cannot answer pings of the protocol. */
const FRAME_PINGS_PARAMETER = 'cf_ws_frame_ping_pong';
const PROTOBUF_TYPE = 'application/octet-stream';

const STREAM_HEADERS = { 'cache-control': 'no-store', 'x-accel-buffering': 'no' } as const;

/** The Centrifuge client protocol over WebSocket, HTTP streams and server-sent events. Errors are answered. */
export class CentrifugeEdge {
  /** Centrifugo's server API, for the same connections. */
  readonly api: ApiEdge;
  readonly #clients = new ClientRegistry();
  readonly #figures: ClientMetrics;
  readonly #options: CentrifugeEdgeOptions;
  readonly #liveness: Liveness;
  readonly #receivers: ReceiverPool;
  readonly #contexts = new Map<string, SessionContext>();
  readonly #own: OwnConnections;

  constructor(options: CentrifugeEdgeOptions) {
    const { clock, limits, random } = options;
    this.#options = options;
    this.#figures = new ClientMetrics(options.metrics, {
      connections: () => this.#clients.size,
      members: () => options.presence.size,
      unlisted: () => options.presence.overflow,
    });
    const { access, channels, presence, processes, version } = options;
    const node = randomUuid(random);
    this.#own = new OwnConnections({ node, version, clients: this.#clients, presence });
    processes?.attach(this.#own);
    this.api = new ApiEdge(access, {
      channels,
      presence,
      limits,
      encoder: createPageEncoder(jsonCodec),
      own: this.#own,
      others: processes,
    });
    this.#liveness = new Liveness({
      clock,
      intervalMs: limits.keepAliveIntervalMs,
      closeTimeoutMs: limits.webSocketCloseTimeoutMs,
    });
    this.#receivers = new ReceiverPool({
      role: 'server',
      messageBytesMax: limits.webSocketMessageBytesMax,
      framesMax: limits.webSocketFramesMax,
      compression: 'none',
    });
  }

  /** `GET /connection/websocket` with `Upgrade: websocket`. */
  webSocket(exchange: HttpExchange): void {
    const { request } = exchange;
    try {
      const subprotocols = Object.keys(SUBPROTOCOLS);
      const handshake = acceptHandshake(request, { subprotocols, compression: 'none' });
      if (request.body.lengthBytes !== 0)
        throw new TidegateError('upgrade_invalid', 'the request has a body');
      const chosen = handshake.subprotocol as keyof typeof SUBPROTOCOLS | null;
      const codec = chosen === null ? codecOfQuery(exchange) : SUBPROTOCOLS[chosen];
      const pings = pingsOfQuery(exchange);
      const context = this.#contextFor(`websocket ${codec} ${pings}`, () =>
        this.#format(codec, webSocketCarrier(codec), pings),
      );
      const arrival = { ...this.#arrival(exchange), session: '', node: '' };
      const client = new WebSocketClient(context, arrival, this.#receivers, this.#liveness);
      client.open(exchange.upgrade(handshake.headers, client));
    } catch (error) {
      const told = TidegateError.from(error);
      // RFC 6455, section 4.4: a client of another version learns which one there is.
      const isHandshake = told.code === 'upgrade_invalid';
      exchange.fail(told, isHandshake ? { 'sec-websocket-version': WEBSOCKET_VERSION } : {});
    }
  }

  /** `POST /connection/http_stream`: the body holds the first commands. */
  httpStream(exchange: HttpExchange): void {
    if (refuses(exchange, ['POST'])) return;
    const codec = codecOfBody(exchange);
    const framing = framingFor(exchange.request.minorVersion);
    const create = (): Format => this.#format(codec, streamCarrier(codec, framing));
    const context = this.#contextFor(`stream ${codec} ${framing}`, create);
    const contentType = codec === 'json' ? 'application/json' : PROTOBUF_TYPE;
    this.#withBody(exchange, (body) => this.#stream(exchange, context, framing, contentType, body));
  }

  /** `GET /connection/sse?cf_connect=…`, or POST with the first commands in the body. */
  sse(exchange: HttpExchange): void {
    if (refuses(exchange, ['GET', 'POST'])) return;
    const framing = framingFor(exchange.request.minorVersion);
    const context = this.#contextFor(`sse ${framing}`, () => this.#format('json', sseCarrier(framing)));
    const open = (body: Buffer): void => this.#stream(exchange, context, framing, 'text/event-stream', body);
    if (exchange.request.method === 'POST') {
      this.#withBody(exchange, open);
      return;
    }
    const first = exchange.request.query.get('cf_connect');
    if (first === null || first === '')
      exchange.fail(new TidegateError('http_query_invalid', 'The parameter "cf_connect" is missing'));
    else open(Buffer.from(first));
  }

  /** `POST /emulation`: commands for a stream that is open. */
  emulation(exchange: HttpExchange): void {
    if (refuses(exchange, ['POST'])) return;
    const codec = codecOfBody(exchange);
    this.#withBody(exchange, (body) => {
      let request: EmulationRequest;
      try {
        request = readEmulationRequest(body, codec);
      } catch (error) {
        if (!(error instanceof MalformedCommand)) throw error;
        exchange.fail(new TidegateError('json_malformed', error.message));
        return;
      }
      this.#emulate(request, (outcome) => {
        if (outcome === 'taken') exchange.respond(204, {});
        else if (outcome instanceof TidegateError) exchange.fail(outcome);
        else exchange.fail(new TidegateError('http_not_found', 'There is no such session'));
      });
    });
  }

  #emulate({ node, session, data }: EmulationRequest, done: (outcome: EmulationOutcome) => void): void {
    const { processes } = this.#options;
    const isElsewhere = processes !== null && node !== '' && node !== this.#own.node;
    if (isElsewhere) processes.emulate(node, session, data, done);
    else done(this.#own.emulate(session, data) ? 'taken' : 'unknown_session');
  }

  #stream(
    exchange: HttpExchange,
    context: SessionContext,
    framing: StreamFraming,
    contentType: string,
    first: Buffer,
  ): void {
    let arrival: Arrival;
    try {
      arrival = this.#arrival(exchange);
    } catch (error) {
      exchange.fail(TidegateError.from(error));
      return;
    }
    const { session } = arrival;
    const client = new StreamClient(context, arrival, this.#liveness, framing, () =>
      this.#own.streams.delete(session),
    );
    const headers: ResponseHeaders = { ...STREAM_HEADERS, 'content-type': contentType };
    client.open(exchange.stream(200, headers, client, framing));
    this.#own.streams.set(session, client);
    client.session.receive(first);
  }

  /** @throws TidegateError credential_invalid */
  #arrival({ request }: HttpExchange): Arrival {
    return {
      from: request.remoteAddress,
      credential: credentialOf(request) ?? '',
      unnamed: withoutCredential(this.#options.access, request),
      session: randomUuid(this.#options.random),
      node: this.#own.node,
    };
  }

  #withBody(exchange: HttpExchange, complete: (body: Buffer) => void): void {
    const taker = { complete, failed: (error: TidegateError) => exchange.fail(error) };
    exchange.request.body.receive(new BodyCollector(taker), this.#options.limits.webSocketMessageBytesMax);
  }

  #format(codec: Codec['name'], carrier: Carrier, pings?: Format['pings']): Format {
    return new Format(codec === 'json' ? jsonCodec : protobufCodec, carrier, this.#options.limits, pings);
  }

  /** Contexts are shared: there are as many as forms of connections. */
  #contextFor(key: string, create: () => Format): SessionContext {
    let context = this.#contexts.get(key);
    if (context === undefined) {
      const { rpc = null, access, presence, clock, random, limits, version } = this.#options;
      const shared = {
        access,
        presence,
        clock,
        random,
        limits,
        rpc,
        version,
        clients: this.#clients,
        figures: this.#figures,
      };
      context = { ...shared, format: create() };
      this.#contexts.set(key, context);
    }
    return context;
  }
}

function codecOfQuery({ request }: HttpExchange): Codec['name'] {
  if (request.path.length === request.target.length) return 'json';
  return FORMAT_PARAMETERS.some((name) => request.query.get(name) === 'protobuf') ? 'protobuf' : 'json';
}

function pingsOfQuery({ request }: HttpExchange): Format['pings'] {
  if (request.path.length === request.target.length) return 'replies';
  return request.query.get(FRAME_PINGS_PARAMETER) === 'true' ? 'frames' : 'replies';
}

function codecOfBody({ request }: HttpExchange): Codec['name'] {
  return request.headers.get('content-type')?.startsWith(PROTOBUF_TYPE) === true ? 'protobuf' : 'json';
}

/** Whether a request has another method than these; then it is answered. */
function refuses(exchange: HttpExchange, methods: readonly string[]): boolean {
  const { method } = exchange.request;
  if (methods.includes(method)) return false;
  const allow = [...methods, 'OPTIONS'].join(', ');
  if (method === 'OPTIONS') exchange.respond(204, { allow });
  else exchange.fail(new TidegateError('http_method_not_allowed'), { allow });
  return true;
}
