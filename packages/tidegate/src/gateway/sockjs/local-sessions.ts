import { TidegateError } from '../../kernel/index.ts';
import { problemResponse } from '../../listeners/index.ts';
import {
  EVENT_SOURCE,
  htmlFile,
  jsonp,
  parseMessages,
  type ReceivingTransport,
  XHR,
  XHR_STREAMING,
} from '../../wire/sockjs/index.ts';
import { type AskingPage, askingPage, crossOriginHeaders, liveHeaders } from './answer-headers.ts';
import type { SockJsContext } from './context.ts';
import { HandshakeExchange } from './handshake-exchange.ts';
import { HttpSession, type Sent } from './http-session.ts';
import { originHit } from './origin-path.ts';
import { ReceivingAnswer, type ReceivingForm } from './receiving-answer.ts';
import type { SessionAnswer } from './session-answer.ts';
import type { SessionRequest, Sessions } from './session-request.ts';

const TEXT = 'text/plain; charset=UTF-8';

/** The sessions of this process whose clients have no WebSocket. */
export class LocalSessions implements Sessions {
  readonly #context: SockJsContext;
  /** By route and session id. */
  readonly #sessions = new Map<string, HttpSession>();
  #isDraining = false;

  constructor(context: SockJsContext) {
    this.#context = context;
  }

  handle(request: SessionRequest, answer: SessionAnswer): void {
    const page = pageOf(request);
    if (request.transport === 'xhr_send' || request.transport === 'jsonp_send')
      this.#send(request, answer, page);
    else this.#receive(request, answer, page, request.transport);
  }

  #send(request: SessionRequest, answer: SessionAnswer, page: AskingPage): void {
    const headers = liveHeaders(page, TEXT);
    const session = this.#sessions.get(keyOf(request));
    const messages = parseMessages(request.messages);
    if (typeof messages === 'string') {
      // The status that the protocol demands, although it is the client who is wrong.
      answer.respond(500, headers, messages);
      return;
    }
    const sent = (what: Sent): void => {
      if (what === 'unknown_session') answer.respond(404, headers, 'There is no such session.');
      else if (what === 'busy') answer.respond(400, headers, 'Already sending.');
      else if (request.transport === 'xhr_send') answer.respond(204, headers, '');
      else answer.respond(200, headers, 'ok');
    };
    if (session === undefined) sent('unknown_session');
    else session.send(messages, sent);
  }

  #receive(
    request: SessionRequest,
    answer: SessionAnswer,
    page: AskingPage,
    transport: ReceivingTransport,
  ): void {
    const receiver = new ReceivingAnswer(answer, this.#formOf(transport, request.callback ?? ''), page);
    const session = this.#sessions.get(keyOf(request));
    if (session !== undefined) {
      session.receive(receiver);
      return;
    }
    try {
      this.#begin(request, receiver);
    } catch (error) {
      const { status, headers, body } = problemResponse(TidegateError.from(error));
      answer.respond(status, { ...headers, ...crossOriginHeaders(page) }, body);
    }
  }

  /** @throws TidegateError draining, connections_exhausted, http_not_found */
  #begin(request: SessionRequest, receiver: ReceivingAnswer): void {
    const { limits } = this.#context;
    if (this.#isDraining) throw new TidegateError('draining');
    if (this.#sessions.size >= limits.sockJsSessionsMax)
      throw new TidegateError('connections_exhausted', `There are ${limits.sockJsSessionsMax} sessions.`);
    const route = this.#context.route(request.route);
    if (route === undefined || route.sockjs === null) throw new TidegateError('http_not_found');
    const hit = originHit(route, route.sockjs);
    const key = keyOf(request);
    const session = new HttpSession(this.#context, () => this.#sessions.delete(key));
    this.#sessions.set(key, session);
    session.receive(receiver);
    const target = hit.path + request.query;
    const exchange = new HandshakeExchange(session.client, request.visitor, target, this.#context);
    try {
      this.#context.dispatch(exchange, hit);
    } catch (error) {
      session.client.failed(TidegateError.from(error));
    }
  }

  #formOf(transport: ReceivingTransport, callback: string): ReceivingForm {
    const { sockJsResponseBytesMax: bytesMax } = this.#context.limits;
    switch (transport) {
      case 'xhr':
        return { framing: XHR, bytesMax: 0 };
      case 'jsonp':
        return { framing: jsonp(callback), bytesMax: 0 };
      case 'xhr_streaming':
        return { framing: XHR_STREAMING, bytesMax };
      case 'eventsource':
        return { framing: EVENT_SOURCE, bytesMax };
      case 'htmlfile':
        return { framing: htmlFile(callback), bytesMax };
    }
  }

  /** Ends all sessions: the server is shutting down. */
  drain(): void {
    this.#isDraining = true;
    for (const session of [...this.#sessions.values()]) session.drain();
  }
}

/** Whoever names a session of one route does not name one of another. */
function keyOf({ route, sessionId }: SessionRequest): string {
  return `${route}/${sessionId}`;
}

function pageOf({ visitor: { fields } }: SessionRequest): AskingPage {
  return askingPage((name) => {
    const at = fields.findIndex((part, index) => index % 2 === 0 && part === name);
    return at === -1 ? undefined : fields[at + 1];
  });
}
