import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import type { Hub } from '../../src/channels/index.ts';
import { eventsOf } from '../../src/gateway/grip/item-events.ts';
import { Gateway } from '../../src/gateway/index.ts';
import type { RouteOptions, UpstreamOptions } from '../../src/gateway/options.ts';
import type { NameLookup } from '../../src/gateway/origin/resolver.ts';
import { type Limits, seededRandom } from '../../src/kernel/index.ts';
import type { HttpHandler } from '../../src/listeners/index.ts';
import type { TlsSettings } from '../../src/listeners/options.ts';
import { openMemoryLog } from '../../src/log/index.ts';
import { parsePublishItem } from '../../src/wire/grip/index.ts';
import { type Lab, openLab, RawClient, type Trust, until } from '../listeners/lab.ts';
import { publish, testHub, topicSpec } from '../support/test-hub.ts';
import { turning } from '../support/turning-clock.ts';

/** A connection that a scripted origin has accepted. It says what a test says, byte for byte, and keeps what comes. */
export class OriginConnection extends RawClient {
  /** Waits for a whole head, and takes it. */
  request(): Promise<string> {
    return this.take('\r\n\r\n');
  }

  answer(body: string, fields = ''): void {
    this.send(`HTTP/1.1 200 OK\r\n${fields}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  }
}

/** A server of which a test plays every part. */
export class ScriptedOrigin {
  readonly connections: OriginConnection[] = [];
  readonly port: number;
  #taken = 0;

  constructor(port: number) {
    this.port = port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The next connection that was not asked for yet. */
  async connection(): Promise<OriginConnection> {
    const index = this.#taken++;
    await until(
      () => this.connections.length > index,
      () => `connection ${index} to the origin`,
    );
    return this.connections[index];
  }

  /** Connections that are open now. */
  get open(): number {
    return this.connections.filter(({ isClosed }) => !isClosed).length;
  }
}

/** Opens an origin on loopback that the end of the test closes. */
export async function openOrigin(t: TestContext): Promise<ScriptedOrigin> {
  const accepted: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    accepted.push(socket);
    origin.connections.push(new OriginConnection(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = new ScriptedOrigin((server.address() as AddressInfo).port);
  t.after(() => {
    for (const socket of accepted) socket.destroy();
    server.close();
  });
  return origin;
}

export interface GatewayLabOptions {
  readonly routes?: Readonly<Record<string, RouteOptions>>;
  readonly upstreams?: Readonly<Record<string, UpstreamOptions>>;
  readonly limits?: Partial<Limits>;
  readonly lookup?: NameLookup;
  /** What no route is for. Default: 404 without a body. */
  readonly others?: HttpHandler;
  readonly builtIn?: readonly string[];
  readonly tls?: TlsSettings | null;
  readonly trust?: Trust;
}

/** A gateway under test behind a real listener, with a clock that stands still. */
export interface GatewayLab extends Lab {
  readonly gateway: Gateway;
  readonly hub: Hub;
  /** Publishes a GRIP item. */
  publish(item: Record<string, unknown>): Promise<void>;
  adopt(
    routes: Readonly<Record<string, RouteOptions>>,
    upstreams: Readonly<Record<string, UpstreamOptions>>,
  ): void;
}

/** Opens a gateway on loopback that the end of the test closes. */
export async function openGatewayLab(t: TestContext, options: GatewayLabOptions): Promise<GatewayLab> {
  let handler: HttpHandler = (exchange) => exchange.respond(503, {});
  const { tls = null, trust } = options;
  const lab = await openLab(t, (exchange) => handler(exchange), options.limits, tls, trust);
  const { clock, limits, metrics, logger } = lab;
  const random = seededRandom(1);
  const turns = turning(clock);
  const log = openMemoryLog({ clock: turns, random, logger, metrics, limits });
  await log.createTopic(topicSpec('default'));
  const hub = testHub(log, turns, limits);
  const gateway = new Gateway({
    clock: turns,
    random,
    limits,
    logger,
    metrics,
    channels: hub,
    builtIn: options.builtIn ?? ['/v1/'],
    channelsPath: '/v1/sse',
    ...(options.lookup === undefined ? {} : { lookup: options.lookup }),
  });
  t.after(async () => {
    gateway.close();
    hub.close();
    await log.close();
  });
  handler = gateway.handler(options.others ?? ((exchange) => exchange.respond(404, {})));
  const adopt: GatewayLab['adopt'] = (routes, upstreams) =>
    gateway.adopt({ routes: new Map(Object.entries(routes)), upstreams: new Map(Object.entries(upstreams)) });
  adopt(options.routes ?? {}, options.upstreams ?? {});
  return {
    ...lab,
    gateway,
    hub,
    adopt,
    async publish(item) {
      await publish(hub, ...eventsOf(parsePublishItem(item, limits)));
    },
  };
}

/** A gateway whose every request goes to one scripted origin. */
export async function openProxyLab(
  t: TestContext,
  route: Omit<RouteOptions, 'match' | 'upstream'> = {},
  upstream: Omit<UpstreamOptions, 'targets'> = {},
  limits: Partial<Limits> = {},
): Promise<GatewayLab & { readonly origin: ScriptedOrigin }> {
  const origin = await openOrigin(t);
  const lab = await openGatewayLab(t, {
    routes: { all: { ...route, match: { path: '/*' }, upstream: 'app' } },
    upstreams: { app: { ...upstream, targets: [{ url: origin.url }] } },
    limits,
  });
  return { ...lab, origin };
}
