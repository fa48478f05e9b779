import type { Counter, Metrics } from '../kernel/index.ts';

const METHOD_CLASSES = ['GET', 'HEAD', 'POST', 'OPTIONS', 'other'] as const;
const STATUS_CLASSES = ['1xx', '2xx', '3xx', '4xx', '5xx'] as const;

/** Why a connection was refused. */
export type RefusalReason = 'connections_max';

/** Why a connection of HTTP/2 was ended: too many frames that cost an answer, or a fault that the library found. */
export type Http2EndReason = 'control_frames' | 'fault';

/** What is open, as far as the figures care. */
export interface ConnectionFigures {
  readonly size: number;
  /** Bytes received and sent on the connections that are open now. */
  bytes(): { readonly received: number; readonly sent: number };
}

/** The figures of the public listener. Every series is looked up once, here. */
export class HttpMetrics {
  readonly #accepted: Counter;
  readonly #refused: Readonly<Record<RefusalReason, Counter>>;
  readonly #http2Ended: Readonly<Record<Http2EndReason, Counter>>;
  readonly #requests: readonly (readonly Counter[])[];
  #closedReceived = 0;
  #closedSent = 0;

  constructor(metrics: Metrics, figures: ConnectionFigures) {
    this.#accepted = metrics.counter({
      name: 'tidegate_http_connections_accepted_total',
      help: 'Connections accepted on the public port.',
    });
    const refused = {
      name: 'tidegate_http_connections_refused_total',
      help: 'Connections refused on the public port, by reason.',
      labels: ['reason'],
    };
    this.#refused = { connections_max: metrics.counter(refused, ['connections_max']) };
    const ended = {
      name: 'tidegate_http_connections_ended_total',
      help: 'HTTP/2 connections that were ended because of what the client did, by reason.',
      labels: ['reason'],
    };
    this.#http2Ended = {
      control_frames: metrics.counter(ended, ['control_frames']),
      fault: metrics.counter(ended, ['fault']),
    };
    const requests = {
      name: 'tidegate_http_requests_total',
      help: 'Requests answered on the public port, by method and class of status; a stream counts when it begins.',
      labels: ['method', 'status'],
    };
    this.#requests = METHOD_CLASSES.map((method) =>
      STATUS_CLASSES.map((status) => metrics.counter(requests, [method, status])),
    );
    metrics.observedGauge(
      { name: 'tidegate_http_connections_open', help: 'Connections open on the public port.' },
      () => figures.size,
    );
    metrics.observedGauge(
      { name: 'tidegate_http_received_bytes', help: 'Bytes received on the public port since the start.' },
      () => this.#closedReceived + figures.bytes().received,
    );
    metrics.observedGauge(
      { name: 'tidegate_http_sent_bytes', help: 'Bytes sent on the public port since the start.' },
      () => this.#closedSent + figures.bytes().sent,
    );
  }

  accepted(): void {
    this.#accepted.add(1);
  }

  refused(reason: RefusalReason): void {
    this.#refused[reason].add(1);
  }

  /** A connection of HTTP/2 was ended. */
  http2Ended(reason: Http2EndReason): void {
    this.#http2Ended[reason].add(1);
  }

  /** A response was begun; `method` is null if the request could not be read. */
  answered(method: string | null, status: number): void {
    this.#requests[methodClass(method)][Math.floor(status / 100) - 1].add(1);
  }

  /** A connection closed, having carried so many bytes. */
  closed(received: number, sent: number): void {
    this.#closedReceived += received;
    this.#closedSent += sent;
  }
}

function methodClass(method: string | null): number {
  switch (method) {
    case 'GET':
      return 0;
    case 'HEAD':
      return 1;
    case 'POST':
      return 2;
    case 'OPTIONS':
      return 3;
    default:
      return 4;
  }
}
