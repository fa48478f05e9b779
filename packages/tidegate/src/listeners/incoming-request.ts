import type { Socket } from 'node:net';
import type { RequestHead } from '../wire/http1/index.ts';
import { clientCertificateOf, isEncrypted } from './client-certificate.ts';
import type { IncomingBody } from './incoming-body.ts';
import type { CarriedRequest } from './incoming-exchange.ts';
import { type ClientCertificate, type Headers, NO_PROXIES } from './port.ts';
import type { RequestSource } from './trusted-proxies.ts';

/** A request as handlers see it. What not every handler looks at is computed when it is asked for. */
export class IncomingRequest implements CarriedRequest {
  readonly body: IncomingBody;
  readonly #head: RequestHead;
  readonly #socket: Socket;
  #path: string | null = null;
  #query: URLSearchParams | null = null;
  /** What trusted proxies say; null if the client itself has made the connection. */
  #source: RequestSource | null = null;

  constructor(head: RequestHead, body: IncomingBody, socket: Socket) {
    this.#head = head;
    this.body = body;
    this.#socket = socket;
  }

  get method(): string {
    return this.#head.method;
  }

  get target(): string {
    return this.#head.target;
  }

  get path(): string {
    this.#path ??= this.target.slice(0, this.#pathEnd());
    return this.#path;
  }

  get query(): URLSearchParams {
    this.#query ??= new URLSearchParams(this.target.slice(this.#pathEnd()));
    return this.#query;
  }

  get host(): string {
    return this.#source === null ? (this.#head.host ?? '') : this.#source.host;
  }

  get headers(): Headers {
    return this.#head.fields;
  }

  get majorVersion(): 1 {
    return 1;
  }

  get minorVersion(): number {
    return this.#head.minorVersion;
  }

  get scheme(): 'http' | 'https' {
    return this.#source?.scheme ?? (isEncrypted(this.#socket) ? 'https' : 'http');
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

  #pathEnd(): number {
    const mark = this.target.indexOf('?');
    return mark === -1 ? this.target.length : mark;
  }
}
