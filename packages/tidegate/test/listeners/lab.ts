import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import {
  type LabelValues,
  type Limits,
  type LogFields,
  type Logger,
  type Metrics,
  resolveLimits,
  type TidegateError,
} from '../../src/kernel/index.ts';
import {
  type ByteChannelOwner,
  createHttpListener,
  type HttpExchange,
  type HttpHandler,
  type HttpListenerOptions,
  type PublicListener,
} from '../../src/listeners/index.ts';
import type { TlsSettings } from '../../src/listeners/options.ts';
import { ManualClock } from '../support/manual-clock.ts';

/** How long anything may take before a test is given up; nothing is measured by it. */
const PATIENCE_MS = 10_000;

/** A listener under test, with a clock that stands still and everything it says kept. */
export interface Lab {
  readonly listener: PublicListener;
  readonly clock: ManualClock;
  readonly limits: Limits;
  readonly logged: readonly { readonly level: string; readonly fields: LogFields }[];
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** The value of a metric's series, as `name{label,label}`. */
  metric(series: string): number;
  connect(): Promise<RawClient>;
}

/** Who is believed what they say of their clients. */
export type Trust = Pick<HttpListenerOptions, 'trustedProxies' | 'trustedFields'>;

/** Opens a listener on loopback that the end of the test closes. */
export async function openLab(
  t: TestContext,
  handler: HttpHandler,
  overrides: Partial<Limits> = {},
  tls: TlsSettings | null = null,
  trust: Trust = {},
): Promise<Lab> {
  // Certificates are made for the days of the machine's clock.
  const clock = tls === null ? new ManualClock() : new ManualClock(Date.now());
  const limits = resolveLimits(overrides);
  const logged: { level: string; fields: LogFields }[] = [];
  const say =
    (level: string) =>
    (fields: LogFields): void => {
      logged.push({ level, fields });
    };
  const logger: Logger = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
  const { metrics, read } = keptMetrics();
  const listener = await createHttpListener(
    { host: '127.0.0.1', port: 0, tls, ...trust, limits, clock, logger, metrics },
    handler,
  );
  const clients: RawClient[] = [];
  t.after(async () => {
    for (const client of clients) client.socket.destroy();
    await Promise.all([listener.drain(1000), Promise.resolve(clock.advance(1000))]);
  });
  return {
    listener,
    clock,
    limits,
    logged,
    metrics,
    logger,
    metric: read,
    async connect() {
      const client = new RawClient(connect({ host: '127.0.0.1', port: listener.port, allowHalfOpen: true }));
      clients.push(client);
      await once(client.socket, 'connect');
      return client;
    },
  };
}

/** A client that sends what a test says, byte for byte, and keeps what comes back. */
export class RawClient {
  readonly socket: Socket;
  /** What was received, as Latin-1. */
  received = '';
  isEnded = false;
  isClosed = false;
  error: NodeJS.ErrnoException | null = null;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes: Buffer) => {
      this.received += bytes.toString('latin1');
    });
    socket.on('end', () => {
      this.isEnded = true;
    });
    socket.on('close', () => {
      this.isClosed = true;
    });
    socket.on('error', (error) => {
      this.error = error;
    });
  }

  send(text: string | Buffer): void {
    this.socket.write(typeof text === 'string' ? Buffer.from(text, 'latin1') : text);
  }

  /** Waits until this text has arrived, and takes everything up to its end. */
  async take(text: string): Promise<string> {
    await until(
      () => this.received.includes(text),
      () => `${JSON.stringify(text)} in ${JSON.stringify(this.received)}`,
    );
    const end = this.received.indexOf(text) + text.length;
    const taken = this.received.slice(0, end);
    this.received = this.received.slice(end);
    return taken;
  }

  /** Waits until the server has half-closed, closes too, and returns what came before. */
  async ended(): Promise<string> {
    await until(
      () => this.isEnded || this.isClosed,
      () => `the end after ${JSON.stringify(this.received)}`,
    );
    this.socket.end();
    return this.received;
  }

  /** Waits until the connection is gone. */
  async closed(): Promise<void> {
    await until(
      () => this.isClosed,
      () => `the close after ${JSON.stringify(this.received)}`,
    );
  }
}

/** Waits until a condition holds, looking once in every turn of the event loop or so. */
export async function until(
  condition: () => boolean,
  what: () => string = () => 'a condition',
): Promise<void> {
  const patience = AbortSignal.timeout(PATIENCE_MS);
  while (!condition()) {
    if (patience.aborted) assert.fail(`Waited in vain for ${what()}.`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** Moves a clock on by steps, with turns of the event loop between them, until a condition holds. */
export async function advanceUntil(
  clock: ManualClock,
  stepMs: number,
  condition: () => boolean,
): Promise<void> {
  await until(() => {
    if (!condition()) clock.advance(stepMs);
    return condition();
  });
}

/** Receives a whole body and calls back with it. */
export function collect(exchange: HttpExchange, done: (body: Buffer) => void, bytesMax = 1_000_000): void {
  const parts: Buffer[] = [];
  exchange.request.body.receive(
    {
      data: (slice) => parts.push(Buffer.from(slice)),
      end: () => done(Buffer.concat(parts)),
      failed: (error) => exchange.fail(error),
    },
    bytesMax,
  );
}

/** An owner that writes down what it is told. */
export class RecordingOwner implements ByteChannelOwner {
  readonly told: string[] = [];
  received(slice: Buffer): void {
    this.told.push(`received ${slice.toString('latin1')}`);
  }
  receivedEnd(): void {
    this.told.push('receivedEnd');
  }
  drained(): void {
    this.told.push('drained');
  }
  closed(): void {
    this.told.push('closed');
  }
  draining(): void {
    this.told.push('draining');
  }
}

/** The body of the only response in a text, and its head. */
export function splitResponse(text: string): { head: string; body: string } {
  const end = text.indexOf('\r\n\r\n');
  return { head: text.slice(0, end), body: text.slice(end + 4) };
}

/** The code of the problem in a response. */
export function problemCode(text: string): string {
  const { head, body } = splitResponse(text);
  assert.match(head, /^content-type: application\/problem\+json$/m);
  return (JSON.parse(body) as { code: TidegateError['code'] }).code;
}

function keptMetrics(): { metrics: Metrics; read: (series: string) => number } {
  const values = new Map<string, () => number>();
  const nameOf = (name: string, labels: LabelValues = []): string =>
    labels.length === 0 ? name : `${name}{${labels.join(',')}}`;
  const series = (name: string, labels?: LabelValues) => {
    let value = 0;
    values.set(nameOf(name, labels), () => value);
    return {
      add: (amount: number) => {
        value += amount;
      },
      set: (to: number) => {
        value = to;
      },
      observe() {},
    };
  };
  const metrics: Metrics = {
    counter: (spec, labels) => series(spec.name, labels),
    gauge: (spec, labels) => series(spec.name, labels),
    histogram: (spec, labels) => series(spec.name, labels),
    observedGauge: (spec, readValue, labels) => {
      values.set(nameOf(spec.name, labels), readValue);
    },
  };
  return {
    metrics,
    read: (name) => {
      const value = values.get(name);
      assert.ok(value !== undefined, `There is no metric ${name}.`);
      return value();
    },
  };
}
