import type { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import { TidegateError } from '../kernel/index.ts';
import { type RequestHead, responseHead } from '../wire/http1/index.ts';
import { Conversation } from './conversation.ts';
import { type BodySource, IncomingBody } from './incoming-body.ts';
import { closedChannel, type ExchangeCarrier, IncomingExchange, incomplete } from './incoming-exchange.ts';
import { IncomingRequest } from './incoming-request.ts';
import type {
  ByteChannel,
  ByteChannelOwner,
  RelayedBody,
  RelayedHead,
  RelayOwner,
  ResponseHeaders,
  StreamFraming,
} from './port.ts';
import { fieldLines, Relay, type RelayTurn, relayFraming } from './relay.ts';
import type { TurnHost } from './turn-host.ts';

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';

/** What a step has come to: take another, wait for something to happen, go on to the next request, or close. */
export type TurnStep = 'again' | 'wait' | 'next' | 'close';

/**
 * One request's turn on its connection: first a handler has the exchange and may receive the body; then, when it has
 * answered, the answer is flushed and what is left of the body is read past.
 */
export class Turn implements ExchangeCarrier, BodySource, RelayTurn {
  readonly exchange: IncomingExchange;
  readonly #host: TurnHost;
  readonly #head: RequestHead;
  readonly #body: IncomingBody;
  /** The response that is under way beside a body that still arrives. */
  #conversation: Conversation | null = null;
  /** The response of another server that is under way. */
  #relay: Relay | null = null;
  #isAnswered = false;
  /** The connection closes after the answer, which says so. */
  #isLast = false;

  constructor(head: RequestHead, host: TurnHost) {
    this.#head = head;
    this.#host = host;
    this.#body = new IncomingBody(head, this);
    this.exchange = new IncomingExchange(new IncomingRequest(head, this.#body, host.socket), this);
  }

  step(): TurnStep {
    return this.#isAnswered ? this.#finish() : this.#readBody();
  }

  #readBody(): TurnStep {
    const host = this.#host;
    switch (this.#body.read(host.parser)) {
      case 'moved':
        return 'again';
      case 'starved':
        this.#expectProgress();
        if (!host.clientHasEnded) return 'wait';
        this.#isLast = true;
        this.#body.fail(incomplete());
        return 'again';
      default:
        if (host.clientHasEnded && this.exchange.clientEnded()) return 'again';
        if (host.clientHasEnded) this.#relay?.receivedEnd();
        // Handlers may take as long as they like, unless they wait for a client that does not read.
        if (host.socket.writableNeedDrain) this.#expectProgress();
        else host.deadlineMs = Number.POSITIVE_INFINITY;
        return 'wait';
    }
  }

  #finish(): TurnStep {
    if (!this.#host.responses.flush()) {
      this.#expectProgress();
      return 'wait';
    }
    if (this.#isLast) return 'close';
    return this.#body.isRead ? 'next' : this.#discardBody();
  }

  /** Reads on to the end of a body that nobody wants, if that is cheaper than a new connection. */
  #discardBody(): TurnStep {
    switch (this.#body.discard(this.#host.parser)) {
      case 'moved':
        return 'again';
      case 'starved':
        this.#expectProgress();
        return this.#host.clientHasEnded ? 'close' : 'wait';
      default:
        return 'close';
    }
  }

  #expectProgress(): void {
    const { deadlines, limits } = this.#host.context;
    this.#host.deadlineMs = deadlines.after(limits.httpBodyIdleTimeoutMs);
  }

  // --- What the connection tells. ---

  /** Nothing has moved for too long. */
  stalled(): void {
    const { socket } = this.#host;
    if (this.#isAnswered || !this.#body.isWanted) {
      // The client reads too slowly, or does not send what nobody waits for.
      if (this.#isAnswered || socket.writableNeedDrain) socket.destroy();
      return;
    }
    this.#isLast = true;
    try {
      this.#body.fail(new TidegateError('http_request_timeout', 'The body stopped arriving.'));
    } catch (error) {
      this.escaped(error);
    }
    this.#host.advanceSoon();
  }

  drained(): void {
    this.#conversation?.drained();
    this.#relay?.drained();
  }

  draining(): void {
    this.#conversation?.draining();
  }

  /** The connection is gone. */
  closed(): void {
    try {
      this.exchange.abandon(incomplete());
      this.#conversation?.closed();
      this.#relay?.closed();
    } catch (error) {
      this.#log(error);
    }
  }

  /** An error has escaped from the handler or from what it gave to receive the body. */
  escaped(error: unknown): void {
    this.#log(error);
    if (this.exchange.isOpen) this.exchange.fail(TidegateError.from(error));
    else if (this.#conversation !== null || this.#relay !== null) this.#host.socket.destroy();
  }

  #log(error: unknown): void {
    if (error instanceof TidegateError && error.entry.blame === 'client') return;
    const { method, path } = this.exchange.request;
    this.#host.context.logger.error({ error, method, path }, 'A handler failed');
  }

  // --- What the body asks. ---

  bodyWanted(): void {
    this.#host.advanceSoon();
  }

  sendContinue(): void {
    this.#host.socket.write(CONTINUE, 'latin1');
  }

  // --- What the exchange asks. ---

  respond(status: number, headers: ResponseHeaders, body: string | Uint8Array): void {
    const { method, minorVersion } = this.#head;
    const persists = this.#persists();
    this.#host.responses.whole(status, headers, body, { method, minorVersion, persists });
    this.#isLast = !persists;
    this.#finishSoon(status);
    this.#host.answered();
  }

  /** Whether the connection can take another request after an answer that is given now. */
  #persists(): boolean {
    const { parser, context } = this.#host;
    if (!this.#mayPersist()) return false;
    if (this.#body.isRead) return true;
    // The client may send the body after all, or may not: only closing makes an end (RFC 9110, section 10.1.1).
    if (this.#body.owesContinue) return false;
    const remaining = parser.bodyBytesRemaining;
    return remaining === null || remaining <= context.limits.httpPipelinedBytesMax;
  }

  /** Whether anything but the rest of the request's body speaks against another request. */
  #mayPersist(): boolean {
    const { parser, context } = this.#host;
    return !this.#isLast && this.#head.keepAlive && parser.error === null && !context.connections.draining;
  }

  #finishSoon(status: number): void {
    const { metrics, limits } = this.#host.context;
    metrics.answered(this.#head.method, status);
    this.exchange.answered();
    this.#body.abandon(limits.httpPipelinedBytesMax);
    this.#isAnswered = true;
  }

  get socket(): Socket {
    return this.#host.socket;
  }

  relay(head: RelayedHead, owner: RelayOwner): RelayedBody {
    const { responses, context } = this.#host;
    const framing = relayFraming(head, this.#head);
    this.#isLast = framing === 'close' || !this.#mayPersist();
    const persistence = this.#isLast ? 'closes' : 'persists';
    this.#relay = new Relay(
      responses.relayedHead(head, framing, persistence, this.#head.minorVersion),
      framing,
      head.bodyBytes,
      owner,
      this,
    );
    context.metrics.answered(this.#head.method, head.status);
    this.exchange.answered();
    return this.#relay;
  }

  sendWhole(response: Buffer): void {
    this.#host.sendWhole(response);
  }

  sendHeld(): void {
    this.#host.sendHeld();
  }

  /** The whole response was handed over. */
  relayed(): void {
    const relay = this.#relay;
    this.#relay = null;
    this.#body.abandon(this.#host.context.limits.httpPipelinedBytesMax);
    this.#isAnswered = true;
    relay?.closed();
    this.#host.answered();
  }

  inform(status: number, fields: readonly string[]): void {
    // RFC 9110, section 15.2: a client of HTTP/1.0 knows no interim responses.
    if (this.#head.minorVersion === 0) return;
    this.#host.socket.write(`HTTP/1.1 ${status} \r\n${fieldLines(fields)}\r\n`, 'latin1');
  }

  stream(
    status: number,
    headers: ResponseHeaders,
    owner: ByteChannelOwner,
    framing: StreamFraming,
  ): ByteChannel {
    const { method, minorVersion } = this.#head;
    const head = this.#host.responses.streamHead(status, headers, framing, minorVersion);
    this.#isLast = true;
    this.#finishSoon(status);
    if (method !== 'HEAD') return this.#host.handOver(head, owner, 'discarded');
    this.#host.socket.write(head, 'latin1');
    this.#host.answered();
    return closedChannel(owner);
  }

  converse(
    status: number,
    headers: ResponseHeaders,
    owner: ByteChannelOwner,
    framing: StreamFraming,
  ): ByteChannel {
    const { method, minorVersion } = this.#head;
    if (method === 'HEAD') return this.stream(status, headers, owner, framing);
    const { socket, responses, context } = this.#host;
    socket.write(responses.streamHead(status, headers, framing, minorVersion), 'latin1');
    context.metrics.answered(method, status);
    this.exchange.answered();
    this.#isLast = true;
    this.#conversation = new Conversation(socket, owner, () => this.#conversed());
    if (context.connections.draining) queueMicrotask(() => owner.draining());
    return this.#conversation;
  }

  /** The response beside the body has ended; what is left of the body interests nobody. */
  #conversed(): void {
    this.#body.abandon(0);
    this.#isAnswered = true;
    this.#host.advanceSoon();
  }

  upgrade(headers: ResponseHeaders, owner: ByteChannelOwner): ByteChannel {
    const { parser } = this.#host;
    if (this.#head.minorVersion === 0) {
      throw new TidegateError('upgrade_invalid', 'HTTP/1.0 has no upgrade.');
    }
    if (parser.bodyBytesRemaining !== 0)
      throw new TidegateError('upgrade_invalid', 'The request has a body.');
    const head = responseHead(101, headers, 'Connection: Upgrade\r\n');
    this.#finishSoon(101);
    const sentAhead = parser.takeRest();
    const channel = this.#host.handOver(head, owner, 'delivered');
    if (sentAhead.length > 0) queueMicrotask(() => owner.received(sentAhead));
    return channel;
  }
}
