import type { Buffer } from 'node:buffer';
import type { Duplex } from 'node:stream';
import { TidegateError } from '../../kernel/index.ts';
import type {
  HttpExchange,
  RelayedBody,
  RelayedHead,
  RelayOwner,
  RequestBody,
  ResponseHeaders,
} from '../../listeners/port.ts';
import type { OriginExchange, OriginFailure, OriginHead, OriginReceiver } from '../origin/exchange.ts';
import type { ProxyOutcome } from './admission.ts';
import { Tunnel } from './tunnel.ts';
import { Upload } from './upload.ts';

/** What a proxied request needs of the route that it goes by. */
export interface ProxyRoute {
  /** The largest body of a request, in bytes. */
  readonly requestBytesMax: number;
  /** The head of an answer as the client gets it. */
  responseHead(head: OriginHead): RelayedHead;
  /** The head of an answer has come, whatever becomes of it. */
  headCame(head: OriginHead): void;
  /** Somebody else takes the exchange over, with what follows this head; null if nobody does. */
  takenBy(head: OriginHead, fetch: OriginExchange): OriginReceiver | null;
  /** Somebody else takes over a connection that has switched protocols; returns whether it does. */
  takesUpgrade(head: OriginHead, origin: Duplex, sentAhead: Buffer): boolean;
  /** Whether something else is to be answered than an answer of this status. */
  replaces(status: number): boolean;
  /**
   * Answers in place of the origin, by another origin or by itself; returns whether it does. After that the exchange is not this
   * request's any more.
   */
  replace(outcome: number | TidegateError, body: 'used' | 'unused'): boolean;
}

/**
 * A client's exchange and the request to the origin that answers it. Both bodies pass through as they come; whoever reads slowly slows the other
 * side down, and nothing is kept here.
 */
export class ProxyExchange implements OriginReceiver {
  readonly #exchange: HttpExchange;
  readonly #body: RequestBody;
  readonly #route: ProxyRoute;
  readonly #ended: (outcome: ProxyOutcome) => void;
  #fetch: OriginExchange | null = null;
  #upload: Upload | null = null;
  #relayed: RelayedBody | null = null;
  /** The answer with 101, whose connection is on its way. */
  #upgrade: OriginHead | null = null;
  /** Who has taken over. */
  #taker: OriginReceiver | null = null;
  #status = 0;
  #isEventStream = false;

  /**
   * @param ended comes once, when the client has its answer or has left
   * @param body of the request, where that was read ahead
   */
  constructor(
    exchange: HttpExchange,
    route: ProxyRoute,
    ended: (outcome: ProxyOutcome) => void,
    body: RequestBody = exchange.request.body,
  ) {
    this.#exchange = exchange;
    this.#body = body;
    this.#route = route;
    this.#ended = ended;
  }

  /** To be called before the fetch starts. */
  attach(fetch: OriginExchange): void {
    this.#fetch = fetch;
    this.#exchange.onAbandoned(() => this.#leave());
  }

  // --- What the origin tells. ---

  bodyWanted(): void {
    if (this.#fetch === null) return;
    const body = this.#body;
    this.#upload = new Upload(body, this.#fetch, (error) => this.#bodyBroken(error));
    body.receive(this.#upload, this.#route.requestBytesMax);
  }

  interim(status: number, fields: readonly string[]): void {
    this.#exchange.inform(status, fields);
  }

  head(head: OriginHead): void {
    const { status, bodyBytes } = head;
    this.#status = status;
    this.#route.headCame(head);
    if (this.#route.replaces(status)) {
      const fetch = this.#fetch;
      if (this.#route.replace(status, this.#bodyUse)) {
        this.#fetch = null;
        fetch?.abort();
        return;
      }
    }
    if (status === 101) {
      this.#upgrade = head;
      return;
    }
    this.#taker = this.#fetch === null ? null : this.#route.takenBy(head, this.#fetch);
    if (this.#taker !== null) {
      this.#fetch = null;
      return;
    }
    const passed = this.#route.responseHead(head);
    this.#isEventStream = bodyBytes === null && isEventStream(passed);
    this.#relayed = this.#exchange.relay(passed, new Download(this));
  }

  data(slice: Buffer): void {
    if (this.#taker !== null) this.#taker.data(slice);
    else if (this.#relayed?.write(slice) === false) this.#fetch?.pause();
  }

  answerEnded(trailers: readonly string[]): void {
    if (this.#taker !== null) {
      this.#taker.answerEnded(trailers);
      return;
    }
    this.#fetch = null;
    this.#relayed?.end(trailers);
  }

  failed(failure: OriginFailure): void {
    if (this.#taker !== null) {
      this.#taker.failed(failure);
      return;
    }
    const { error } = failure;
    this.#fetch = null;
    if (this.#relayed !== null) this.#relayed.abort();
    else if (!this.#route.replace(error, this.#bodyUse)) this.refuse(error);
  }

  get #bodyUse(): 'used' | 'unused' {
    return this.#upload === null ? 'unused' : 'used';
  }

  upgraded(origin: Duplex, sentAhead: Buffer): void {
    this.#fetch = null;
    if (this.#route.takesUpgrade(this.#upgrade as OriginHead, origin, sentAhead)) return;
    const tunnel = new Tunnel(origin, () => this.#ended(this.#status));
    try {
      const { fields } = this.#route.responseHead(this.#upgrade as OriginHead);
      const headers = { ...upgradeHeaders(fields), upgrade: 'websocket' };
      const channel = this.#exchange.upgrade(headers, tunnel);
      tunnel.open(channel, sentAhead);
    } catch (error) {
      origin.destroy();
      this.refuse(TidegateError.from(error));
    }
  }

  drained(): void {
    this.#upload?.drained();
  }

  /** Answers with an error; nothing was answered before. */
  refuse(error: TidegateError): void {
    this.#exchange.fail(error);
    this.#ended(error);
  }

  // --- What the client tells. ---

  /** The client reads on. */
  clientDrained(): void {
    this.#fetch?.resume();
  }

  /** A client that half-closes waits for the rest of its answer, unless that has no end: then it is nearly always gone. */
  clientEnded(): void {
    if (this.#isEventStream) this.#relayed?.abort();
  }

  /** The client has the whole answer, or is gone. */
  clientClosed(): void {
    if (this.#fetch === null) this.#ended(this.#status);
    else this.#leave();
  }

  #leave(): void {
    const fetch = this.#fetch;
    if (fetch === null) return;
    this.#fetch = null;
    fetch.abort();
    this.#ended('client_left');
  }

  #bodyBroken(error: TidegateError): void {
    const fetch = this.#fetch;
    if (fetch === null) return;
    this.#fetch = null;
    fetch.abort();
    if (this.#relayed === null) this.refuse(error);
    else this.#relayed.abort();
  }
}

/** The client's side of an answer. */
class Download implements RelayOwner {
  readonly #proxied: ProxyExchange;

  constructor(proxied: ProxyExchange) {
    this.#proxied = proxied;
  }

  drained(): void {
    this.#proxied.clientDrained();
  }

  receivedEnd(): void {
    this.#proxied.clientEnded();
  }

  closed(): void {
    this.#proxied.clientClosed();
  }
}

const EVENT_STREAM = /(?:^|\n)content-type: *text\/event-stream/i;

/** Whether the fields of a response say that it is an event stream. */
function isEventStream(head: RelayedHead): boolean {
  const { lines } = head;
  if (lines != null) return EVENT_STREAM.test(lines.text);
  const pairs = head.fields;
  for (let at = 0; at < pairs.length; at += 2) {
    if (pairs[at].length !== 12 || pairs[at].toLowerCase() !== 'content-type') continue;
    return pairs[at + 1].toLowerCase().startsWith('text/event-stream');
  }
  return false;
}

/** Names and values in turn, as a record with lists for those that are repeated. Date is the listener's to write. */
function upgradeHeaders(pairs: readonly string[]): ResponseHeaders {
  const headers: Record<string, string | string[]> = {};
  for (let at = 0; at < pairs.length; at += 2) {
    // The listener writes its own.
    if (pairs[at].toLowerCase() === 'date') continue;
    const earlier = headers[pairs[at]];
    if (earlier === undefined) headers[pairs[at]] = pairs[at + 1];
    else headers[pairs[at]] = [earlier, pairs[at + 1]].flat();
  }
  return headers;
}
