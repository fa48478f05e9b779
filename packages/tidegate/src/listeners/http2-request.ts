import type { TLSSocket } from 'node:tls';
import { clientCertificateOf } from './client-certificate.ts';
import type { Http2Body } from './http2-body.ts';
import type { Http2Head } from './http2-head.ts';
import type { CarriedRequest } from './incoming-exchange.ts';
import { type ClientCertificate, type Headers, NO_PROXIES } from './port.ts';
import type { RequestSource } from './trusted-proxies.ts';

/** A request of HTTP/2 as handlers see it. */
export class Http2Request implements CarriedRequest {
  readonly body: Http2Body;
  readonly majorVersion = 2;
  readonly minorVersion = 0;
  readonly path: string;
  readonly #head: Http2Head;
  readonly #socket: TLSSocket;
  #query: URLSearchParams | null = null;
  /** What trusted proxies say; null if the client itself has made the connection. */
  #source: RequestSource | null = null;

  constructor(head: Http2Head, body: Http2Body, socket: TLSSocket) {
    this.#head = head;
    this.body = body;
    this.#socket = socket;
    this.path = head.target.split('?', 1)[0];
  }

  get method(): string {
    return this.#head.method;
  }

  get target(): string {
    return this.#head.target;
  }

  get query(): URLSearchParams {
    this.#query ??= new URLSearchParams(this.target.slice(this.path.length));
    return this.#query;
  }

  get host(): string {
    return this.#source?.host ?? this.#head.fields.get('host') ?? '';
  }

  get scheme(): 'http' | 'https' {
    return this.#source?.scheme ?? 'https';
  }

  get headers(): Headers {
    return this.#head.fields;
  }

  get clientCertificate(): ClientCertificate | null {
    return clientCertificateOf(this.#socket);
  }

  /** Empty once the connection is gone. */
  get remoteAddress(): string {
    return this.#source?.remoteAddress ?? this.#socket.remoteAddress ?? '';
  }

  get proxies(): readonly string[] {
    return this.#source?.proxies ?? NO_PROXIES;
  }

  comesFrom(source: RequestSource): void {
    this.#source = source;
  }
}
