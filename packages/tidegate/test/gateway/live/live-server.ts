import { Buffer } from 'node:buffer';
import { type FetchOrigin, type LiveMode, LiveRoutes, liveFields } from '../../../src/gateway/live/index.ts';
import {
  noMetrics,
  resolveLimits,
  silentLogger,
  systemClock,
  systemRandom,
} from '../../../src/kernel/index.ts';
import { createHttpListener, type HttpExchange } from '../../../src/listeners/index.ts';
import { diffJson } from '../../../src/wire/json-patch/index.ts';

/** A plain JSON API whose value a test changes. */
export class ScriptedOrigin {
  status = 200;
  readonly #polls = new Map<string, number>();
  #value: unknown = {};
  #tag = 0;

  set value(value: unknown) {
    this.#value = value;
    this.#tag++;
  }

  get value(): unknown {
    return this.#value;
  }

  /** How often it was asked for this target. */
  polls(target: string): number {
    return this.#polls.get(target) ?? 0;
  }

  readonly fetch: FetchOrigin = ({ target, headers }, done) => {
    this.#polls.set(target, this.polls(target) + 1);
    const call = setImmediate(() => {
      const etag = `"v${this.#tag}"`;
      const isKnown = headers.some(([name, value]) => name === 'if-none-match' && value === etag);
      const status = this.status === 200 && isKnown ? 304 : this.status;
      const body = status === 200 ? JSON.stringify(this.#value) : '';
      done(null, { status, headers: [['etag', etag]], body: Buffer.from(body) });
    });
    return { abort: () => clearImmediate(call) };
  };
}

/** A live route on a real port of loopback. */
export interface LiveServer {
  readonly port: number;
  readonly url: string;
  readonly origin: ScriptedOrigin;
  drain(): Promise<void>;
}

/** @param port 0 for any; that of a server before, to be found again by its clients */
export async function startLiveServer(mode: LiveMode, origin: ScriptedOrigin, port = 0): Promise<LiveServer> {
  const limits = resolveLimits({ liveShortestIntervalMs: 10 });
  const common = { clock: systemClock, limits, logger: silentLogger, metrics: noMetrics };
  const routes = new LiveRoutes({
    ...common,
    random: systemRandom,
    diff: (before, after) => diffJson(before, after, limits),
    originOf: () => origin.fetch,
  });
  const route = { name: 'things', everyMs: 10, mode };
  const handler = (exchange: HttpExchange): void => {
    const path = { rules: route, pattern: '/*', path: exchange.request.path };
    if (routes.handle(exchange, route, path) === 'taken') return;
    const { target, scheme, headers } = exchange.request;
    const fields: Record<string, string[]> = { 'content-type': ['application/json'] };
    for (const [name, value] of liveFields({ target, scheme, host: headers.get('host'), mode })) {
      fields[name] = [...(fields[name] ?? []), value];
    }
    exchange.respond(200, fields, JSON.stringify(origin.value));
  };
  const listener = await createHttpListener({ ...common, host: '127.0.0.1', port }, handler);
  return {
    port: listener.port,
    url: `http://127.0.0.1:${listener.port}`,
    origin,
    drain: async () => {
      routes.drain();
      await listener.drain(2000);
      routes.close();
    },
  };
}
