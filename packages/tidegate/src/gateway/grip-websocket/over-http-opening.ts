import { TidegateError } from '../../kernel/index.ts';
import type { HttpExchange } from '../../listeners/port.ts';
import { acceptHandshake } from '../../wire/websocket/index.ts';
import { type LinkBase, linkBaseOf } from '../grip/link-target.ts';
import type { GripRoute } from '../grip/port.ts';
import type { OriginRequest } from '../origin/exchange.ts';
import { fieldOf, fieldsForClient, messagePrefixOf } from './events-answer.ts';
import type { EventsAnswer, Opening } from './events-request.ts';
import { OverHttpRequests } from './over-http-request.ts';
import { OverHttpSocket } from './over-http-socket.ts';
import { refuse } from './refusal.ts';
import { GripSession } from './session.ts';
import type { SocketContext } from './socket-context.ts';
import { SWITCHED } from './status.ts';
import { upgradeHeadersOf } from './upgrade-headers.ts';

/** A client's handshake, until an origin that speaks WebSocket-over-HTTP has said what it thinks of it. */
export class OverHttpOpening {
  readonly #context: SocketContext;
  readonly #exchange: HttpExchange;
  readonly #route: GripRoute;
  readonly #requests: OverHttpRequests;
  readonly #base: LinkBase;
  readonly #origin: OverHttpSocket;
  #hasLeft = false;

  constructor(context: SocketContext, exchange: HttpExchange, handshake: OriginRequest, route: GripRoute) {
    this.#context = context;
    this.#exchange = exchange;
    this.#route = route;
    this.#base = linkBaseOf(handshake, exchange.request.host);
    this.#requests = new OverHttpRequests(handshake, route, context.random);
    this.#origin = new OverHttpSocket(context, route, this.#requests, (opening) => this.#opened(opening));
  }

  begin(): void {
    this.#exchange.onAbandoned(() => this.#left());
    this.#origin.begin();
  }

  #left(): void {
    this.#hasLeft = true;
    this.#route.ended(null);
    this.#origin.cancel();
  }

  #opened(opening: Opening): void {
    if (this.#hasLeft) {
      this.#origin.disconnect();
      return;
    }
    switch (opening.kind) {
      case 'accepted':
        this.#accept(opening.fields);
        break;
      case 'rejected':
        this.#reject(opening.answer);
        break;
      case 'failed':
        refuse(this.#exchange, opening.error, this.#route);
        break;
    }
  }

  #accept(fields: readonly string[]): void {
    const route = this.#route;
    try {
      const chosen = fieldOf(fields, 'sec-websocket-protocol');
      const handshake = acceptHandshake(this.#exchange.request, {
        subprotocols: chosen === null ? [] : [chosen],
        compression: 'none',
      });
      if (chosen !== handshake.subprotocol) {
        throw new TidegateError(
          'upstream_malformed',
          'The origin chose a subprotocol that the client has not offered.',
        );
      }
      const session = new GripSession(this.#context, {
        mode: 'over_http',
        request: this.#exchange.request,
        connectionId: this.#requests.connectionId,
        route: route.name,
        rule: route.rule,
        filterScope: { route, base: this.#base },
        messagePrefix: messagePrefixOf(fields),
        ended: () => route.ended(SWITCHED),
      });
      const headers = {
        ...upgradeHeadersOf(route.responseFields(fieldsForClient(fields))),
        ...handshake.headers,
      };
      session.open(this.#exchange.upgrade(headers, session.client), this.#origin);
      this.#origin.open(session);
    } catch (error) {
      this.#origin.disconnect();
      refuse(this.#exchange, TidegateError.from(error), route);
    }
  }

  /** The answer is the client's, whatever it is. */
  #reject({ head, body }: EventsAnswer): void {
    const { limits } = this.#context;
    if (body.length > limits.gripSocketRejectionBytesMax) {
      const detail = `The answer that refuses the WebSocket has more than ${limits.gripSocketRejectionBytesMax} bytes.`;
      refuse(this.#exchange, new TidegateError('upstream_malformed', detail), this.#route);
      return;
    }
    const { status, reason } = head;
    const fields = this.#route.responseFields(head.fields);
    const relayed = this.#exchange.relay({ status, reason, fields, bodyBytes: body.length }, NOBODY);
    if (body.length > 0) relayed.write(body);
    relayed.end();
    this.#route.ended(status);
  }
}

/** The answer is complete: nobody has to hear what becomes of it. */
const NOBODY = { drained() {}, receivedEnd() {}, closed() {} };
