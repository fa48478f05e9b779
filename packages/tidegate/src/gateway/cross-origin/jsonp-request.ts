import { Buffer } from 'node:buffer';
import { TidegateError } from '../../kernel/index.ts';
import type { Headers, HttpRequest, RequestBody } from '../../listeners/port.ts';
import { isCallback } from '../../wire/jsonp/index.ts';
import { FieldList } from '../cache/field-list.ts';
import type { JsonpRule } from '../routes/route.ts';

/** A request that asks for a script. */
export interface JsonpRequest {
  readonly callback: string;
  /** What is asked of the origin. */
  readonly request: HttpRequest;
}

/** Of the request that loads the script, and not of the one that it stands for. Bodies have to be read here, so that they are not to be encoded. */
const OF_SCRIPT: ReadonlySet<string> = new Set([
  'accept',
  'accept-encoding',
  'content-length',
  'content-type',
]);

/** What no script may set (the forbidden request-headers of the Fetch standard), and what proxies say of a client. */
const FORBIDDEN =
  /^(?:accept|accept-charset|accept-encoding|access-control-request-.*|connection|content-length|cookie2?|date|dnt|expect|forwarded|host|keep-alive|origin|proxy-.*|referer|sec-.*|te|trailer|transfer-encoding|upgrade|via|x-forwarded-.*|x-real-ip)$/;

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/;
const VALUE = /^[\t\x20-\x7e]*$/;
/** As for other requests of scripts. */
const FORBIDDEN_METHODS: ReadonlySet<string> = new Set(['CONNECT', 'TRACE', 'TRACK']);

/**
 * Reads a request for a script, which says by its query what is really asked.
 * @param methods those of the route; null for any
 * @returns null for a request that is what it looks like
 * @throws TidegateError http_query_invalid
 */
export function jsonpRequest(
  request: HttpRequest,
  rule: JsonpRule,
  methods: ReadonlySet<string> | null,
): JsonpRequest | null {
  if (request.method !== 'GET') return null;
  const { query } = request;
  const named = query.get(rule.callback);
  const callback = named ?? (rule.body !== null && query.has(rule.body) ? rule.defaultCallback : null);
  if (callback === null) return null;
  if (!isCallback(callback))
    throw new TidegateError('http_query_invalid', `${rule.callback} is not the name of a function.`);
  const method = query.get('_method') ?? rule.defaultMethod;
  if (!TOKEN.test(method) || FORBIDDEN_METHODS.has(method.toUpperCase()))
    throw new TidegateError('http_query_invalid', '_method is not a method that a script may use.');
  if (methods?.has(method) === false)
    throw new TidegateError('http_query_invalid', `The route is not for the method ${method}.`);
  const body = Buffer.from(query.get(rule.body ?? '_body') ?? '', 'utf8');
  const fields = [
    ...fieldsOf(query.get('_headers'), rule.body === null ? 'any' : 'json'),
    ...(rule.body !== null && body.length > 0 ? ['content-type', 'application/json'] : []),
    ...['accept', '*/*'],
    ...fieldsOfClient(request.headers),
  ];
  const own = new Set([rule.callback, '_method', '_headers', rule.body ?? '_body']);
  const target = request.path + withoutParameters(request.target.slice(request.path.length), own);
  return {
    callback,
    request: {
      ...requestParts(request),
      method,
      target,
      query: new URLSearchParams(target.slice(request.path.length)),
      headers: new FieldList(fields),
      body: new QueryBody(body),
      // Streams without chunks: they are framed anew once they are a script.
      minorVersion: request.majorVersion === 1 ? 0 : request.minorVersion,
    },
  };
}

/** What a request says of itself may be worked out when it is asked for. */
function requestParts(request: HttpRequest): HttpRequest {
  const { method, target, path, query, host, headers, body, majorVersion, minorVersion, scheme } = request;
  const { remoteAddress, proxies, clientCertificate } = request;
  return {
    ...{ method, target, path, query, host, headers, body, majorVersion, minorVersion, scheme },
    ...{ remoteAddress, proxies, clientCertificate },
  };
}

/** @param contentType whether it is the query's to say */
function fieldsOf(json: string | null, contentType: 'any' | 'json'): readonly string[] {
  if (json === null) return [];
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new TidegateError('http_query_invalid', '_headers is not JSON.');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new TidegateError('http_query_invalid', '_headers is not an object.');
  const fields: string[] = [];
  for (const [spelled, text] of Object.entries(value)) {
    const name = spelled.toLowerCase();
    if (typeof text !== 'string' || !TOKEN.test(name) || !VALUE.test(text))
      throw new TidegateError(
        'http_query_invalid',
        `_headers has no field ${JSON.stringify(spelled)} as HTTP has them.`,
      );
    if (!FORBIDDEN.test(name) && (contentType === 'any' || name !== 'content-type')) fields.push(name, text);
  }
  return fields;
}

function fieldsOfClient(headers: Headers): readonly string[] {
  const fields: string[] = [];
  for (const [name, value] of headers.entries()) if (!OF_SCRIPT.has(name)) fields.push(name, value);
  return fields;
}

/** The query without some parameters; all else as it was sent. */
function withoutParameters(query: string, names: ReadonlySet<string>): string {
  const kept = query
    .slice(1)
    .split('&')
    .filter((part) => {
      const [name] = [...new URLSearchParams(part).keys()];
      return name !== undefined && !names.has(name);
    });
  return kept.length === 0 ? '' : `?${kept.join('&')}`;
}

/** The body that stood in the query. */
class QueryBody implements RequestBody {
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get lengthBytes(): number {
    return this.#bytes.length;
  }

  receive(receiver: Parameters<RequestBody['receive']>[0]): void {
    // Whoever asks for it is not told before the call has returned.
    queueMicrotask(() => {
      if (this.#bytes.length > 0) receiver.data(this.#bytes);
      receiver.end(null);
    });
  }

  pause(): void {}

  resume(): void {}
}
