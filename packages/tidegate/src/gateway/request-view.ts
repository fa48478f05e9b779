import type { HttpRequest } from '../listeners/port.ts';
import { isWebSocketHandshake } from './handshake.ts';
import type { MatchableRequest } from './routes/route-match.ts';

/** A request as routes look at it. */
export class RequestView implements MatchableRequest {
  readonly #request: HttpRequest;

  constructor(request: HttpRequest) {
    this.#request = request;
  }

  get method(): string {
    return this.#request.method;
  }

  get host(): string {
    return this.#request.host;
  }

  get path(): string {
    return this.#request.path;
  }

  get scheme(): 'http' | 'https' {
    return this.#request.scheme;
  }

  get upgrade(): 'websocket' | 'none' {
    return isWebSocketHandshake(this.#request) ? 'websocket' : 'none';
  }

  header(name: string): string | undefined {
    return this.#request.headers.get(name);
  }

  query(name: string): string | null {
    return this.#request.query.get(name);
  }
}
