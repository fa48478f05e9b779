import assert from 'node:assert/strict';
import type { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import type { Hub } from '../../../src/channels/index.ts';
import { FilterRequests } from '../../../src/gateway/grip/filter-requests.ts';
import { GripPublisher, type ItemReceipt } from '../../../src/gateway/grip/grip-publisher.ts';
import { HttpHolds } from '../../../src/gateway/grip/http-holds.ts';
import type { GripRoute } from '../../../src/gateway/grip/port.ts';
import type { Attendance } from '../../../src/gateway/grip-attendance/port.ts';
import type { ListPresent } from '../../../src/gateway/grip-presence/port.ts';
import { GripSessions } from '../../../src/gateway/grip-sessions/index.ts';
import type { OriginExchange, OriginReceiver, OriginRequest } from '../../../src/gateway/origin/exchange.ts';
import { OriginFetch } from '../../../src/gateway/origin/origin-fetch.ts';
import { OriginSet } from '../../../src/gateway/origin/origin-set.ts';
import { upstreamOf } from '../../../src/gateway/upstreams/upstream.ts';
import {
  Deadlines,
  type Limits,
  seededRandom,
  silentLogger,
  TidegateError,
} from '../../../src/kernel/index.ts';
import type { HttpExchange, HttpHandler } from '../../../src/listeners/index.ts';
import { type Log, openMemoryLog } from '../../../src/log/index.ts';
import { type Lab, openLab, type RawClient, splitResponse, until } from '../../listeners/lab.ts';
import { event, publish, testHub, topicSpec } from '../../support/test-hub.ts';
import { turning } from '../../support/turning-clock.ts';
import { item } from './items.ts';

/** A request as the origin got it. */
export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  /** The values of Grip-Last. */
  readonly lasts: readonly string[];
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** What goes by the time of a test, and by the turns of the machine. */
export interface GripLab extends Lab {
  readonly hub: Hub;
  readonly log: Log;
  readonly holds: HttpHolds;
  readonly sessions: GripSessions;
  readonly publisher: GripPublisher;
  /** What the origin was asked, in order. */
  readonly asked: readonly Asked[];
  /** How the routes' requests ended. */
  readonly ended: readonly (number | null)[];
  /** The origin's host and port. */
  readonly authority: string;
  /** Answers from now on. */
  answers(answer: Answer): void;
  /** Publishes GRIP items, and waits until they are stored. */
  items(...list: Record<string, unknown>[]): Promise<readonly ItemReceipt[]>;
  /** Publishes a plain text, as other protocols do. */
  plain(channel: string, text: string, contentType?: string): Promise<void>;
  /** Opens a connection and asks with it. */
  get(target?: string, fields?: string, method?: string): Promise<RawClient>;
  /** Waits until so many subscribe to a channel, and have nothing to catch up with. */
  subscribed(channel: string, count?: number): Promise<void>;
  /** Waits until the origin was asked so often. */
  askedTimes(count: number): Promise<void>;
}

const TIMEOUTS = { connectMs: 600_000, firstByteMs: 3_600_000, idleMs: 3_600_000, totalMs: null };

/** A gateway of one route with GRIP before an origin of which the test plays the part. */
export async function openGripLab(
  t: TestContext,
  overrides: Partial<Limits> = {},
  prefix = '',
  gripFields: () => string[] = () => ['Grip-Feature', 'link:next'],
  open: (t: TestContext, handler: HttpHandler, overrides: Partial<Limits>) => Promise<Lab> = openLab,
  attendance: Attendance | null = null,
  present: ListPresent | null = null,
): Promise<GripLab> {
  let handler: (exchange: HttpExchange) => void = () => {};
  const lab = await open(t, (exchange) => handler(exchange), overrides);
  const clock = turning(lab.clock);
  const { limits, metrics } = lab;
  const random = seededRandom(1);
  const log = openMemoryLog({ clock, random, logger: silentLogger, metrics, limits });
  await log.createTopic(topicSpec('default'));
  const hub = testHub(log, clock, limits, {}, { metrics });

  const asked: Asked[] = [];
  let answer: Answer = (_, response) => response.end();
  const server = createServer((request, response) => {
    const { method = '', url = '', headers, headersDistinct } = request;
    asked.push({ method, url, headers, lasts: headersDistinct['grip-last'] ?? [] });
    answer(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const authority = `127.0.0.1:${(server.address() as AddressInfo).port}`;

  const deadlines = new Deadlines(clock, 10);
  const upstream = new OriginSet(upstreamOf('app', { targets: [{ url: `http://${authority}` }] }), null, {
    clock,
    random,
    deadlines,
    limits,
    logger: silentLogger,
    lookup: (host, done) => done(null, [host]),
  });
  const fetch = (request: OriginRequest, receiver: OriginReceiver): OriginFetch =>
    new OriginFetch(
      {
        request,
        targets: upstream,
        hostFrom: 'request',
        timeouts: TIMEOUTS,
        retry: null,
        deadlineMs: Number.POSITIVE_INFINITY,
        context: { deadlines, continueTimeoutMs: 1000 },
      },
      receiver,
    );
  const ended: (number | null)[] = [];
  const route: GripRoute = {
    name: 'all',
    rule: {
      key: null,
      upstreamKey: null,
      issuer: 'test',
      prefix,
      channels: [],
      session: true,
      websocket: 'native',
    },
    sessionScope: 'app',
    gripFields,
    ask(request, receiver) {
      const asking = fetch(request, receiver);
      queueMicrotask(() => asking.start());
      return asking;
    },
    responseFields: (fields) => fields,
    ended: (status) => ended.push(status),
  };
  const { logger } = lab;
  const filters = new FilterRequests({ clock, limits, logger, metrics, deadlines });
  const sessions = new GripSessions({ clock, limits, logger, metrics });
  const shared = { clock, random, limits, logger, metrics, filters, sessions, attendance, present };
  const holds = new HttpHolds({ ...shared, channels: hub });
  handler = (exchange) => {
    const { method, target, headers } = exchange.request;
    const fields = ['Host', authority, ...route.gripFields()];
    for (const [name, value] of headers.entries())
      if (name.startsWith('x-') || name === 'accept') fields.push(name, value);
    const request: OriginRequest = {
      method,
      target,
      fields,
      bodyBytes: method === 'POST' ? null : 0,
      upgrade: null,
      expects: 'nothing',
    };
    const passing = new Passing(exchange, request, holds, route);
    const asking = fetch(request, passing);
    passing.fetch = asking;
    asking.start();
  };

  t.after(async () => {
    hub.drain();
    holds.close();
    filters.close();
    upstream.close();
    deadlines.stop();
    server.closeAllConnections();
    server.close();
    hub.close();
    await log.close();
  });
  const publisher = new GripPublisher({ receivers: hub, clock, limits, metrics });
  return {
    ...lab,
    hub,
    log,
    holds,
    sessions,
    publisher,
    asked,
    ended,
    authority,
    answers(next) {
      answer = next;
    },
    items: (...list) =>
      new Promise((resolve, reject) => {
        publisher.publish(list.map(item), hub, (outcomes) => {
          const failed = outcomes.find((outcome) => outcome instanceof TidegateError);
          if (failed === undefined) resolve(outcomes as readonly ItemReceipt[]);
          else reject(failed);
        });
      }),
    async plain(channel, text, contentType) {
      const attributes = contentType === undefined ? [] : ([['datacontenttype', contentType]] as const);
      await publish(hub, { ...event(channel, text), attributes });
    },
    async get(target = '/', fields = '', method = 'GET') {
      const client = await lab.connect();
      client.send(`${method} ${target} HTTP/1.1\r\nHost: public.example\r\n${fields}\r\n`);
      return client;
    },
    async subscribed(channel, count = 1) {
      await until(
        () => hub.count(channel) === count,
        () => `${count} at ${channel}; there are ${hub.count(channel)}`,
      );
      // Whoever has just come is live after two turns.
      for (let turns = 0; turns < 5; turns++) await new Promise(setImmediate);
    },
    askedTimes: (count) =>
      until(
        () => asked.length >= count,
        () => `request ${count} to the origin; there were ${asked.length}`,
      ),
  };
}

/** A request on its way through the gateway, as far as GRIP sees it. */
class Passing implements OriginReceiver {
  fetch: OriginExchange | null = null;
  readonly #exchange: HttpExchange;
  readonly #request: OriginRequest;
  readonly #holds: HttpHolds;
  readonly #route: GripRoute;
  #taken: OriginReceiver | null = null;

  constructor(exchange: HttpExchange, request: OriginRequest, holds: HttpHolds, route: GripRoute) {
    this.#exchange = exchange;
    this.#request = request;
    this.#holds = holds;
    this.#route = route;
  }

  bodyWanted(): void {
    this.fetch?.end([]);
  }

  interim(): void {}

  head(head: Parameters<OriginReceiver['head']>[0]): void {
    assert.ok(this.fetch !== null);
    if (this.#holds.wants(head)) {
      this.#taken = this.#holds.take(this.#exchange, head, this.#request, this.fetch, this.#route);
    } else {
      this.#exchange.respond(head.status, {}, 'passed on');
    }
  }

  data(slice: Buffer): void {
    this.#taken?.data(slice);
  }

  answerEnded(trailers: readonly string[]): void {
    this.#taken?.answerEnded(trailers);
  }

  failed(failure: Parameters<OriginReceiver['failed']>[0]): void {
    if (this.#taken === null) this.#exchange.fail(failure.error);
    else this.#taken.failed(failure);
  }

  drained(): void {}

  upgraded(): void {}
}

/** A response of which the whole has come. */
export async function response(client: { received: string }): Promise<{ head: string; body: string }> {
  await until(
    () => {
      const { head, body } = splitResponse(client.received);
      const length = /content-length: (\d+)/i.exec(head)?.[1];
      return client.received.includes('\r\n\r\n') && (length === undefined || body.length >= Number(length));
    },
    () => `a response in ${JSON.stringify(client.received)}`,
  );
  return splitResponse(client.received);
}

/** What the chunks hold that have come, without the head. */
export function chunks(client: RawClient): string {
  let rest = client.received.slice(client.received.indexOf('\r\n\r\n') + 4);
  let content = '';
  for (let match = /^([0-9a-f]+)\r\n/.exec(rest); match !== null; match = /^([0-9a-f]+)\r\n/.exec(rest)) {
    const start = match[0].length;
    const length = Number.parseInt(match[1], 16);
    if (rest.length < start + length + 2) break;
    content += rest.slice(start, start + length);
    rest = rest.slice(start + length + 2);
    if (length === 0) return `${content}<end>`;
  }
  return content;
}

/** Waits until exactly this is in the chunks. */
export const comes = (client: RawClient, content: string): Promise<void> =>
  until(
    () => chunks(client) === content,
    () => `${JSON.stringify(content)} in ${JSON.stringify(client.received)}`,
  );
