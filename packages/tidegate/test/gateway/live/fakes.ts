import { Buffer } from 'node:buffer';
import {
  type FetchOrigin,
  type LiveRoute,
  LiveRoutes,
  type OriginCallback,
  type OriginRequest,
} from '../../../src/gateway/live/index.ts';
import {
  type LabelValues,
  type Limits,
  type MetricSpec,
  type Metrics,
  resolveLimits,
  silentLogger,
  TidegateError,
} from '../../../src/kernel/index.ts';
import type {
  ByteChannel,
  ByteChannelOwner,
  HttpExchange,
  HttpRequest,
  ResponseHeaders,
} from '../../../src/listeners/index.ts';
import { problemResponse } from '../../../src/listeners/index.ts';
import type { RelayedBody } from '../../../src/listeners/port.ts';
import { FieldLines } from '../../../src/wire/http1/index.ts';
import { diffJson } from '../../../src/wire/json-patch/index.ts';
import { SseParser } from '../../../src/wire/sse/index.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { receive } from '../../wire/websocket/recorder.ts';

/** A request that waits for the test to answer it. */
export interface Asked {
  readonly request: OriginRequest;
  readonly done: OriginCallback;
  isAborted: boolean;
}

/** An origin that keeps what it is asked; it answers when the test says so, or at once if it has a script. */
export class FakeOrigin {
  readonly asked: Asked[] = [];
  /** Answers requests as they come; null leaves them to the test. */
  script: ((asked: Asked) => void) | null = null;

  readonly fetch: FetchOrigin = (request, done) => {
    const asked: Asked = { request, done, isAborted: false };
    this.asked.push(asked);
    this.script?.(asked);
    return {
      abort() {
        asked.isAborted = true;
      },
    };
  };

  get last(): Asked {
    return this.asked[this.asked.length - 1];
  }

  /** Answers the last request. */
  answer(body: unknown, headers: Record<string, string> = {}, status = 200): void {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    this.last.done(null, { status, headers: Object.entries(headers), body: Buffer.from(text) });
  }

  unmodified(): void {
    this.answer('', {}, 304);
  }

  fail(code: 'upstream_unreachable' | 'upstream_timeout' | 'body_too_large'): void {
    this.last.done(new TidegateError(code), null);
  }
}

/** What came over a stream. */
export interface Told {
  /** snapshot, value, patch or problem. */
  readonly kind: string;
  readonly id: string;
  readonly data: unknown;
}

/** A transport that keeps what it is told, and is full when the test says so. */
export class FakeChannel implements ByteChannel {
  isFull = false;
  state: 'open' | 'ended' | 'destroyed' = 'open';
  readonly writes: Buffer[] = [];
  #read = 0;

  write(bytes: Buffer): boolean {
    this.writes.push(bytes);
    return !this.isFull;
  }

  end(last?: Buffer): void {
    if (last !== undefined) this.writes.push(last);
    this.state = 'ended';
  }

  destroy(): void {
    this.state = 'destroyed';
  }

  pause(): void {}

  resume(): void {}

  /** What was written since the last call. */
  unread(): Buffer {
    const bytes = Buffer.concat(this.writes.slice(this.#read));
    this.#read = this.writes.length;
    return bytes;
  }
}

function requestOf(target: string, headers: Record<string, string>, method: string): HttpRequest {
  const path = target.split('?', 1)[0];
  const fields: Record<string, string> = { host: 'api.example', ...headers };
  return {
    method,
    target,
    path,
    query: new URLSearchParams(target.slice(path.length)),
    host: fields.host,
    headers: fieldLines(fields),
    body: { lengthBytes: 0, receive() {}, pause() {}, resume() {} },
    majorVersion: 1,
    // Without chunks, what is written is the event stream itself.
    minorVersion: fields.upgrade === undefined ? 0 : 1,
    scheme: 'http',
    remoteAddress: '127.0.0.1',
    proxies: [],
    clientCertificate: null,
  };
}

function fieldLines(fields: Record<string, string>): FieldLines {
  let text = '';
  const offsets: number[] = [];
  for (const part of Object.entries(fields).flat()) {
    offsets.push(text.length, text.length + part.length);
    text += part;
  }
  return new FieldLines(text, offsets);
}

/** One request whose answer is kept. */
export class FakeExchange implements HttpExchange {
  readonly request: HttpRequest;
  readonly channel = new FakeChannel();
  owner: ByteChannelOwner | null = null;
  status = 0;
  headers: ResponseHeaders = {};
  body = '';
  abandon: () => void = () => {};
  readonly #parser: SseParser;
  #told: Told[] = [];

  constructor(target: string, headers: Record<string, string> = {}, method = 'GET') {
    this.request = requestOf(target, headers, method);
    this.#parser = new SseParser(
      {
        event: ({ name, lastEventId, data }) => {
          this.#told.push({ kind: name, id: lastEventId, data: JSON.parse(data) });
        },
      },
      1_000_000,
    );
  }

  respond(status: number, headers: ResponseHeaders, body: string | Uint8Array = ''): void {
    this.#answer(status, headers);
    this.body = Buffer.from(body).toString();
  }

  fail(error: TidegateError, headers: ResponseHeaders = {}): void {
    const problem = problemResponse(error);
    this.respond(problem.status, { ...problem.headers, ...headers }, problem.body);
  }

  stream(status: number, headers: ResponseHeaders, owner: ByteChannelOwner): ByteChannel {
    this.#answer(status, headers);
    this.owner = owner;
    return this.channel;
  }

  converse(): ByteChannel {
    throw new Error('not asked for in these tests');
  }

  relay(): RelayedBody {
    throw new Error('not asked for in these tests');
  }

  inform(): void {}

  upgrade(headers: ResponseHeaders, owner: ByteChannelOwner): ByteChannel {
    return this.stream(101, headers, owner);
  }

  onAbandoned(callback: () => void): void {
    this.abandon = callback;
  }

  /** The code of the problem that it was answered with. */
  get code(): string {
    return JSON.parse(this.body).code;
  }

  /** What came over the stream since the last call. */
  told(): readonly Told[] {
    if (this.status === 101) return messagesOf(this.channel.unread());
    this.#parser.push(this.channel.unread());
    const told = this.#told;
    this.#told = [];
    return told;
  }

  /** The same in short: `kind data`. */
  said(): readonly string[] {
    return this.told().map(({ kind, data }) =>
      kind === 'problem' ? `problem ${(data as { code: string }).code}` : `${kind} ${JSON.stringify(data)}`,
    );
  }

  #answer(status: number, headers: ResponseHeaders): void {
    if (this.status !== 0) throw new Error('A request was answered twice.');
    this.status = status;
    this.headers = headers;
  }
}

function messagesOf(bytes: Buffer): readonly Told[] {
  const { told } = receive(bytes, { role: 'client' });
  return told
    .filter((line) => line.startsWith('text '))
    .map((line) => {
      const message = JSON.parse(line.slice('text '.length));
      const member = message.type === 'patch' || message.type === 'problem' ? message.type : 'value';
      return { kind: message.type, id: message.id, data: message[member] };
    });
}

/** Metrics whose values can be read as `name{label}`. */
export function readableMetrics(): { readonly metrics: Metrics; read(series: string): number } {
  const values = new Map<string, () => number>();
  const series = ({ name }: MetricSpec, labels: LabelValues = []): string => `${name}{${labels.join()}}`;
  const kept = (spec: MetricSpec, labels?: LabelValues) => {
    let value = 0;
    values.set(series(spec, labels), () => value);
    return {
      add(amount: number) {
        value += amount;
      },
      set(to: number) {
        value = to;
      },
      observe() {},
    };
  };
  return {
    metrics: {
      counter: kept,
      gauge: kept,
      histogram: kept,
      observedGauge: (spec, read, labels) => void values.set(series(spec, labels), read),
    },
    read: (name) => values.get(name)?.() ?? Number.NaN,
  };
}

const HANDSHAKE = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
};

/** Live routes between a scripted origin and fake clients, on a clock that stands still. */
export class LiveStage {
  readonly clock: ManualClock;
  readonly limits: Limits;
  readonly origin: FakeOrigin;
  readonly routes: LiveRoutes;
  readonly read: (series: string) => number;
  route: LiveRoute;
  /** Another object whenever something about the route is to count as changed. */
  rules: object = {};
  /** How its origin is asked; null if there is no such route. */
  fetch: FetchOrigin | null;

  constructor(
    route: Partial<LiveRoute> = {},
    limits: Partial<Limits> = {},
    { clock, origin }: Pick<LiveStage, 'clock' | 'origin'> = {
      clock: new ManualClock(),
      origin: new FakeOrigin(),
    },
  ) {
    this.clock = clock;
    this.origin = origin;
    this.fetch = origin.fetch;
    this.limits = resolveLimits(limits);
    this.route = { name: 'things', everyMs: 2000, mode: 'patch', ...route };
    const { metrics, read } = readableMetrics();
    this.read = read;
    this.routes = new LiveRoutes({
      clock: this.clock,
      // In the middle: no jitter.
      random: { uint32: () => 2 ** 31 },
      limits: this.limits,
      logger: silentLogger,
      metrics,
      diff: (before, after) => diffJson(before, after, this.limits),
      originOf: () => this.fetch,
    });
  }

  handle(exchange: HttpExchange): 'taken' | 'not_live' {
    const path = { rules: this.rules, pattern: '/*', path: exchange.request.path };
    return this.routes.handle(exchange, this.route, path);
  }

  open(target: string, headers: Record<string, string>): FakeExchange {
    const exchange = new FakeExchange(target, headers);
    const outcome = this.handle(exchange);
    if (outcome !== 'taken') throw new Error(`${target} is not live`);
    return exchange;
  }

  sse(target = '/things', headers: Record<string, string> = {}): FakeExchange {
    return this.open(target, { accept: 'text/event-stream', ...headers });
  }

  socket(target = '/things', headers: Record<string, string> = {}): FakeExchange {
    return this.open(target, { ...HANDSHAKE, ...headers });
  }

  poll(tag: string | null, headers: Record<string, string> = {}, target = '/things'): FakeExchange {
    const condition: Record<string, string> = tag === null ? {} : { 'if-none-match': tag };
    return this.open(target, { prefer: 'wait=20', ...condition, ...headers });
  }

  /** Lets the next poll begin, and answers it. */
  next(body: unknown, headers: Record<string, string> = {}): void {
    const before = this.origin.asked.length;
    this.clock.advance(2000);
    if (this.origin.asked.length !== before + 1) throw new Error('Nothing was asked');
    this.origin.answer(body, headers);
  }

  subscribers(): number {
    return ['sse', 'websocket', 'poll'].reduce(
      (sum, form) => sum + this.read(`tidegate_live_subscribers{${form}}`),
      0,
    );
  }
}
