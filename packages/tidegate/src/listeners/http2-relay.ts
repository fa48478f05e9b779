import type { Buffer } from 'node:buffer';
import { constants, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { Expiring } from '../kernel/index.ts';
import { isWithoutContent } from '../wire/http1/index.ts';
import type { ListenerContext } from './connection-registry.ts';
import type { Http2Body } from './http2-body.ts';
import { closeAnswered, dropStream } from './http2-response.ts';
import type { RelayedBody, RelayedHead, RelayOwner } from './port.ts';

/** The response of another server on its way to a client, on a stream of HTTP/2. */
export class Http2Relay implements RelayedBody, Expiring {
  deadlineMs = Number.POSITIVE_INFINITY;
  readonly #stream: ServerHttp2Stream;
  readonly #body: Http2Body;
  readonly #owner: RelayOwner;
  readonly #context: ListenerContext;
  readonly #hasBody: boolean;
  #ended = false;
  #behind = false;
  /** What waited when it was last looked at. */
  #waitingBytes = 0;
  #trailers: readonly string[] = [];

  constructor(
    stream: ServerHttp2Stream,
    head: RelayedHead,
    method: string,
    parts: { readonly body: Http2Body; readonly owner: RelayOwner; readonly context: ListenerContext },
  ) {
    this.#stream = stream;
    this.#body = parts.body;
    this.#owner = parts.owner;
    this.#context = parts.context;
    this.#hasBody = method !== 'HEAD' && !isWithoutContent(head.status) && head.bodyBytes !== 0;
    stream.on('drain', this.#drained);
    stream.once('finish', this.#finished);
    stream.once('wantTrailers', () => stream.sendTrailers(http2Fields(this.#trailers)));
    this.#context.deadlines.add(this);
    stream.respond(headOf(head, parts.context.date.value()), {
      endStream: !this.#hasBody,
      waitForTrailers: this.#hasBody,
    });
  }

  write(slice: Buffer): boolean {
    const stream = this.#stream;
    if (this.#ended || stream.destroyed || stream.closed) return false;
    if (!this.#hasBody || slice.length === 0 || stream.write(slice)) return true;
    this.#behind = true;
    this.#expectProgress();
    return false;
  }

  end(trailers: readonly string[] = []): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#trailers = trailers;
    if (!this.#hasBody) return;
    this.#stream.end();
    this.#expectProgress();
  }

  /** RFC 9113, section 8.1.1: a response that is not complete ends in a reset of its stream. */
  abort(): void {
    if (this.#ended) return;
    this.#ended = true;
    // What waits is still the client's; behind it, closing resets.
    if (this.#stream.writableLength === 0) dropStream(this.#stream);
    else if (!this.#stream.closed) this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  }

  /** The stream is gone. */
  closed(): void {
    this.#ended = true;
    this.#context.deadlines.delete(this);
    this.#owner.closed();
  }

  expired(): void {
    // It moves, if slowly.
    if (this.#stream.writableLength < this.#waitingBytes) this.#expectProgress();
    else dropStream(this.#stream);
  }

  readonly #drained = (): void => {
    if (!this.#behind) return;
    this.#behind = false;
    if (this.#ended) return;
    this.deadlineMs = Number.POSITIVE_INFINITY;
    this.#owner.drained();
  };

  readonly #finished = (): void => {
    const { deadlines, limits } = this.#context;
    this.deadlineMs = deadlines.after(limits.httpLingerTimeoutMs);
    closeAnswered(this.#stream, this.#body);
  };

  #expectProgress(): void {
    const { deadlines, limits } = this.#context;
    this.#waitingBytes = this.#stream.writableLength;
    this.deadlineMs = deadlines.after(limits.http2StallTimeoutMs);
  }
}

function headOf({ status, fields, bodyBytes }: RelayedHead, date: string): OutgoingHttpHeaders {
  const head = http2Fields(fields);
  head[':status'] = status;
  if (bodyBytes !== null) head['content-length'] = String(bodyBytes);
  head.date ??= date;
  return head;
}

/** Fields of one connection of HTTP/1, which the library refuses by throwing (RFC 9113, section 8.2.2). */
const CONNECTION_FIELDS: ReadonlySet<string> = new Set([
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
]);

/** Names and values in turn, as the library takes them: in lower case, repeated ones as a list, and without what HTTP/2 has none of. */
export function http2Fields(pairs: readonly string[]): OutgoingHttpHeaders {
  const fields: Record<string, string | string[]> = {};
  for (let at = 0; at < pairs.length; at += 2) {
    const name = pairs[at].toLowerCase();
    if (CONNECTION_FIELDS.has(name)) continue;
    const earlier = fields[name];
    if (earlier === undefined) fields[name] = pairs[at + 1];
    else if (typeof earlier === 'string') fields[name] = [earlier, pairs[at + 1]];
    else earlier.push(pairs[at + 1]);
  }
  return fields;
}
