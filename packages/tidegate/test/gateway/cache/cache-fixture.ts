import { Buffer } from 'node:buffer';
import { FieldList } from '../../../src/gateway/cache/field-list.ts';
import { HttpCache } from '../../../src/gateway/cache/http-cache.ts';
import type { CacheRule } from '../../../src/gateway/cache/options.ts';
import type {
  CacheFetch,
  CacheLookup,
  CacheReceiver,
  CacheReply,
  CacheRequest,
  CacheTicket,
  FetchedHead,
  HeadOutcome,
} from '../../../src/gateway/cache/port.ts';
import type { RouteCache } from '../../../src/gateway/cache/route-cache.ts';
import { type Limits, type Metrics, resolveLimits, TidegateError } from '../../../src/kernel/index.ts';
import { ManualClock } from '../../support/manual-clock.ts';

export type Fields = Readonly<Record<string, string | readonly string[]>>;

/** Fields as a parser would hand them out. */
export function fieldsOf(fields: Fields): FieldList {
  return new FieldList(
    Object.entries(fields).flatMap(([name, value]) => [value].flat().flatMap((one) => [name, one])),
  );
}

/** An answer's head as the gateway hands it over: names as they were sent, without what frames the body. */
export function headOf(status: number, fields: Fields): FetchedHead {
  const { 'content-length': length, ...others } = fields;
  const pairs = fieldsOf(others).pairs.map((part, at) => (at % 2 === 0 ? part.toUpperCase() : part));
  return { status, fields: pairs, bodyBytes: length === undefined ? null : Number(length) };
}

/** A request for `http://api.example` plus `target`. */
export function requestOf(
  target: string,
  fields: Fields = {},
  other: Partial<CacheRequest> = {},
): CacheRequest {
  return {
    method: 'GET',
    scheme: 'http',
    host: 'api.example',
    target,
    headers: fieldsOf(fields),
    content: 'none',
    ...other,
  };
}

/** A client that writes down what it is told. */
export class Client implements CacheReceiver {
  reply: CacheReply | null = null;
  received = '';
  outcome: 'open' | 'ended' | 'failed' | 'released' = 'open';
  error: TidegateError | null = null;
  /** How many slices it takes before it is full. */
  takes = Number.POSITIVE_INFINITY;
  ticket: CacheTicket | null = null;

  head(reply: CacheReply): void {
    if (this.reply !== null) throw new Error('A second head');
    this.reply = reply;
    if (reply.body === null) return;
    this.received = reply.body.toString('latin1');
    this.outcome = 'ended';
  }

  data(slice: Buffer): boolean {
    if (this.reply === null || this.outcome !== 'open') throw new Error('A slice out of turn');
    if (this.takes <= 0) throw new Error('A slice for one that is full');
    this.received += slice.toString('latin1');
    return --this.takes > 0;
  }

  end(): void {
    if (this.reply === null || this.outcome !== 'open') throw new Error('An end out of turn');
    this.outcome = 'ended';
  }

  failed(error: TidegateError): void {
    if (this.outcome !== 'open') throw new Error('A failure out of turn');
    this.error = error;
    this.outcome = 'failed';
  }

  released(): void {
    if (this.reply !== null || this.outcome !== 'open') throw new Error('A release out of turn');
    this.outcome = 'released';
  }

  get headers(): FieldList {
    return new FieldList(this.reply?.fields ?? []);
  }

  get status(): number | undefined {
    return this.reply?.status;
  }

  get cacheStatus(): string | undefined {
    return this.reply?.cacheStatus;
  }

  /** Takes so many slices more. */
  take(slices: number): void {
    this.takes = slices;
    this.ticket?.drained();
  }
}

/** What an origin answers. */
export interface Answer {
  readonly status?: number;
  readonly fields?: Fields;
  readonly body?: string;
}

/** The settings of a route that names none. */
export const DEFAULTS: CacheRule = {
  ttlMs: 'heuristic',
  staleWhileRevalidateMs: null,
  staleIfErrorMs: null,
  keyHeaders: [],
  entryBytesMax: 1_048_576,
  clientNoCache: 'honour',
  authorization: 'if-allowed',
};

/** Counts what is added to each series. */
export class CountingMetrics implements Metrics {
  readonly #values = new Map<string, number>();
  readonly #observed = new Map<string, () => number>();

  counter(spec: { name: string }, values: readonly string[] = []): { add(amount: number): void } {
    const series = [spec.name, ...values].join(' ');
    return { add: (amount) => this.#values.set(series, (this.#values.get(series) ?? 0) + amount) };
  }

  gauge(): { set(): void } {
    return { set() {} };
  }

  observedGauge(spec: { name: string }, read: () => number): void {
    this.#observed.set(spec.name, read);
  }

  histogram(): { observe(): void } {
    return { observe() {} };
  }

  /** The value of a series, such as `tidegate_cache_requests_total hit`. */
  value(series: string): number {
    return this.#observed.get(series)?.() ?? this.#values.get(series) ?? 0;
  }
}

/** A cache with one route, a clock that stands still, and an origin that answers when the test says so. */
export class CacheFixture {
  readonly clock = new ManualClock();
  readonly metrics = new CountingMetrics();
  readonly cache: HttpCache;
  readonly route: RouteCache;

  constructor(options: Partial<CacheRule> = {}, limits: Partial<Limits> = {}) {
    this.cache = new HttpCache(this.clock, resolveLimits(limits), this.metrics);
    this.route = this.cache.route('api', { ...DEFAULTS, ...options });
  }

  /** Looks a request up, and attaches a client if there is to be one. */
  ask(request: CacheRequest, route = this.route): { readonly lookup: CacheLookup; readonly client: Client } {
    const lookup = route.lookup(request);
    const client = new Client();
    if (lookup.kind === 'reply') client.head(lookup.reply);
    if (lookup.kind === 'fetch' || lookup.kind === 'wait') {
      client.ticket = lookup.ticket;
      lookup.ticket.attach(client);
    }
    return { lookup, client };
  }

  /** Looks a request up that has to go to the origin. */
  fetch(request: CacheRequest, route = this.route): { readonly fetch: CacheFetch; readonly client: Client } {
    const { lookup, client } = this.ask(request, route);
    if (lookup.kind !== 'fetch') throw new Error(`${lookup.kind} instead of a fetch`);
    return { fetch: lookup.fetch, client };
  }

  /** Has an origin answer a fetch. */
  answer(fetch: CacheFetch, { status = 200, fields = {}, body = 'body' }: Answer = {}): HeadOutcome {
    const outcome = fetch.head(headOf(status, fields));
    if (outcome === 'store') {
      if (body !== '') fetch.data(Buffer.from(body, 'latin1'));
      fetch.end();
    }
    return outcome;
  }

  /** Asks for something that is not stored, and has the origin answer. */
  fill(request: CacheRequest, answer: Answer = {}, route = this.route): HeadOutcome {
    return this.answer(this.fetch(request, route).fetch, answer);
  }

  /** What becomes of a request: how it is answered from the cache, or why not. */
  kind(request: CacheRequest, route = this.route): CacheLookup['kind'] {
    const { lookup, client } = this.ask(request, route);
    client.ticket?.leave();
    return lookup.kind;
  }

  advanceSeconds(seconds: number): void {
    this.clock.advance(seconds * 1000);
  }
}

export const FRESH: Fields = { 'cache-control': 'max-age=60' };

export const failure = (): TidegateError => new TidegateError('upstream_unreachable');
