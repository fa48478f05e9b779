import type { HttpRequest } from '../../listeners/port.ts';
import type { FieldLines } from '../../wire/http1/index.ts';
import type { OriginRequest } from '../origin/exchange.ts';
import { type RequestFieldTerms, requestFields, requestLines } from './request-fields.ts';

/** A request of HTTP/1 that goes on as it came. Its fields are taken apart only for an origin that does not speak HTTP/1. */
export class ForwardedRequest implements OriginRequest {
  readonly method: string;
  readonly target: string;
  readonly bodyBytes: number | null;
  readonly upgrade = null;
  readonly expects: 'continue' | 'nothing';
  readonly #request: HttpRequest;
  readonly #headers: FieldLines;
  readonly #terms: RequestFieldTerms;

  /** @param headers those of the request, which are plain */
  constructor(request: HttpRequest, headers: FieldLines, target: string, terms: RequestFieldTerms) {
    this.method = request.method;
    this.target = target;
    this.bodyBytes = request.body.lengthBytes;
    this.expects = headers.get('expect') === undefined ? 'nothing' : 'continue';
    this.#request = request;
    this.#headers = headers;
    this.#terms = terms;
  }

  get fields(): readonly string[] {
    return requestFields(this.#request, this.#terms);
  }

  linesFor(host: string | null): string {
    const { hostName } = this.#terms;
    return requestLines(this.#request, this.#headers, this.#terms, host ?? hostName ?? this.#request.host);
  }
}
