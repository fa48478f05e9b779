import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { Hub } from '../../../src/channels/index.ts';
import { FilterRequests } from '../../../src/gateway/grip/filter-requests.ts';
import type { GripRoute } from '../../../src/gateway/grip/port.ts';
import { GripSessions } from '../../../src/gateway/grip-sessions/index.ts';
import { GripWebSocketGateway } from '../../../src/gateway/grip-websocket/grip-web-sockets.ts';
import { isWebSocketHandshake } from '../../../src/gateway/handshake.ts';
import type {
  OriginFailure,
  OriginHead,
  OriginReceiver,
  OriginRequest,
} from '../../../src/gateway/origin/exchange.ts';
import { OriginFetch } from '../../../src/gateway/origin/origin-fetch.ts';
import { OriginSet } from '../../../src/gateway/origin/origin-set.ts';
import { systemLookup } from '../../../src/gateway/origin/resolver.ts';
import { ProxyExchange } from '../../../src/gateway/proxy/proxy-exchange.ts';
import { requestFields } from '../../../src/gateway/proxy/request-fields.ts';
import { routeOf } from '../../../src/gateway/routes/route.ts';
import { upstreamOf } from '../../../src/gateway/upstreams/upstream.ts';
import {
  Deadlines,
  type Limits,
  noMetrics,
  resolveLimits,
  seededRandom,
  silentLogger,
  systemClock,
  systemRandom,
  TidegateError,
} from '../../../src/kernel/index.ts';
import { createHttpListener } from '../../../src/listeners/index.ts';
import type { HttpExchange } from '../../../src/listeners/port.ts';
import { openMemoryLog } from '../../../src/log/index.ts';
import { topicSpec } from '../../support/test-hub.ts';

export interface GatewayLabOptions {
  readonly mode: 'native' | 'over_http';
  /** The ports of the origin's instances. */
  readonly origins: readonly number[];
  readonly limits?: Partial<Limits>;
  /** What Grip-Sig is; by default something that only looks like a signature. */
  readonly signature?: () => string;
}

/** A gateway on a real port of loopback, with one route to one origin, over a hub on a log in memory. */
export interface GatewayLab {
  readonly port: number;
  readonly url: string;
  readonly hub: Hub;
  /** How each request of the route ended that GRIP took over. */
  readonly ends: readonly (number | null)[];
  close(): Promise<void>;
}

const FIELD_RULES = {
  remove: new Set<string>(),
  add: [],
  speaksGrip: 'no',
  viaName: 'tidegate-lab',
} as const;

export async function startGatewayLab(options: GatewayLabOptions): Promise<GatewayLab> {
  const limits = resolveLimits(options.limits);
  const common = { limits, clock: systemClock, logger: silentLogger, metrics: noMetrics };
  const log = openMemoryLog({ ...common, random: seededRandom(1) });
  await log.createTopic(topicSpec('default'));
  const hub = new Hub({ ...common, log, prefixes: new Map() });
  const deadlines = new Deadlines(systemClock, 10);
  const route = routeOf('lab', { match: {}, upstream: 'origin', grip: { websocket: options.mode } });
  const targets = options.origins.map((port) => ({ url: `http://127.0.0.1:${port}` }));
  const origins = new OriginSet(upstreamOf('origin', { targets, passive: undefined }), null, {
    clock: systemClock,
    random: systemRandom,
    deadlines,
    limits,
    logger: silentLogger,
    lookup: systemLookup,
  });
  const filters = new FilterRequests({ ...common, deadlines });
  const sockets = new GripWebSocketGateway({
    ...common,
    random: systemRandom,
    deadlines,
    channels: hub,
    filters,
    sessions: new GripSessions(common),
  });
  const ends: (number | null)[] = [];

  const fetch = (request: OriginRequest, receiver: OriginReceiver): OriginFetch =>
    new OriginFetch(
      {
        request,
        targets: origins,
        hostFrom: 'request',
        timeouts: route.timeouts,
        retry: null,
        deadlineMs: Number.POSITIVE_INFINITY,
        context: { deadlines, continueTimeoutMs: 1000 },
      },
      receiver,
    );
  const gripRoute: GripRoute = {
    name: route.name,
    rule: route.grip as GripRoute['rule'],
    sessionScope: null,
    gripFields: () => ['Grip-Sig', options.signature?.() ?? 'signed'],
    ask(request, receiver) {
      const asked = fetch(request, receiver);
      asked.start();
      return asked;
    },
    responseFields: (fields) => fields,
    ended: (status) => ends.push(status),
  };

  const handler = (exchange: HttpExchange): void => {
    const { request } = exchange;
    if (sockets.pretendsToBeGateway(request)) {
      exchange.fail(new TidegateError('access_denied'));
      return;
    }
    const isHandshake = isWebSocketHandshake(request);
    const asked: OriginRequest = {
      method: request.method,
      target: request.target,
      fields: requestFields(request, { rules: FIELD_RULES, hostName: null, told: [], changes: null }),
      bodyBytes: request.body.lengthBytes,
      upgrade: isHandshake ? 'websocket' : null,
      expects: 'nothing',
    };
    if (isHandshake && options.mode === 'over_http') {
      sockets.openOverHttp(exchange, asked, gripRoute);
      return;
    }
    const proxied = new ProxyExchange(
      exchange,
      {
        requestBytesMax: 1024,
        responseHead: (head) => head,
        headCame() {},
        takenBy: () => null,
        takesUpgrade: () => false,
        replaces: () => false,
        replace: () => false,
      },
      () => {},
    );
    const offered = sockets.offerGrip(asked, gripRoute);
    const receiver = new NativeReceiver(proxied, sockets, exchange, offered, gripRoute);
    const native = fetch(offered, receiver);
    proxied.attach(native);
    native.start();
  };
  const listener = await createHttpListener({ ...common, host: '127.0.0.1', port: 0 }, handler);
  return {
    port: listener.port,
    url: `ws://127.0.0.1:${listener.port}`,
    hub,
    ends,
    close: async () => {
      const gone = listener.drain(500);
      hub.drain();
      await gone;
      filters.close();
      origins.close();
      deadlines.stop();
      hub.close();
      await log.close();
    },
  };
}

/** What a proxy does with the answer of an origin that may accept `grip`. */
class NativeReceiver implements OriginReceiver {
  readonly #proxied: ProxyExchange;
  readonly #sockets: GripWebSocketGateway;
  readonly #exchange: HttpExchange;
  readonly #asked: OriginRequest;
  readonly #route: GripRoute;
  #head: OriginHead | null = null;

  constructor(
    proxied: ProxyExchange,
    sockets: GripWebSocketGateway,
    exchange: HttpExchange,
    asked: OriginRequest,
    route: GripRoute,
  ) {
    this.#proxied = proxied;
    this.#sockets = sockets;
    this.#exchange = exchange;
    this.#asked = asked;
    this.#route = route;
  }

  bodyWanted(): void {
    this.#proxied.bodyWanted();
  }

  interim(): void {}

  head(head: OriginHead): void {
    if (head.status === 101 && this.#sockets.takesNative(head, this.#route.rule)) this.#head = head;
    else this.#proxied.head(head);
  }

  data(slice: Buffer): void {
    this.#proxied.data(slice);
  }

  answerEnded(trailers: readonly string[]): void {
    this.#proxied.answerEnded(trailers);
  }

  failed(failure: OriginFailure): void {
    this.#proxied.failed(failure);
  }

  drained(): void {
    this.#proxied.drained();
  }

  upgraded(socket: Socket, sentAhead: Buffer): void {
    if (this.#head === null) this.#proxied.upgraded(socket, sentAhead);
    else this.#sockets.openNative(this.#exchange, this.#asked, this.#head, socket, sentAhead, this.#route);
  }
}

/** An instance of an origin over HTTP. */
export interface OriginServer {
  readonly port: number;
  readonly server: Server;
  close(): Promise<void>;
}

/** @param answer gets each request with its body */
export async function startOrigin(
  answer: (request: IncomingMessage, body: Buffer, response: ServerResponse) => void,
): Promise<OriginServer> {
  const server = createServer((request, response) => {
    const slices: Buffer[] = [];
    request.on('data', (slice) => slices.push(slice));
    request.on('end', () => answer(request, Buffer.concat(slices), response));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    server,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
