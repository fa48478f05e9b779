import { type Line, TidegateError } from '../../kernel/index.ts';
import type { HttpExchange } from '../../listeners/port.ts';
import { isCallback } from '../../wire/jsonp/index.ts';
import { messagesOfForm, parseSockJsPath, type SessionTransport } from '../../wire/sockjs/index.ts';
import { ReceiverPool } from '../../wire/websocket/index.ts';
import { isWebSocketHandshake } from '../handshake.ts';
import type { Route, SockJsRule } from '../routes/route.ts';
import type { RouteHit } from '../routes/route-table.ts';
import { askingPage, crossOriginHeaders, liveHeaders, preflightHeaders } from './answer-headers.ts';
import type { SockJsContext } from './context.ts';
import { ForwardedSessions } from './forwarded-sessions.ts';
import { FramedSocket } from './framed-socket.ts';
import { HandshakeExchange, visitorOf } from './handshake-exchange.ts';
import { LocalSessions } from './local-sessions.ts';
import { originHit, originQuery } from './origin-path.ts';
import { SentBody } from './sent-body.ts';
import { serveSessions } from './serve-sessions.ts';
import { ExchangeAnswer } from './session-answer.ts';
import type { Sessions } from './session-request.ts';
import { greet, inform, showIframe } from './static-pages.ts';

const TEXT = 'text/plain; charset=UTF-8';

/** Whether a transport sends a GET, as scripts, event sources and frames do. */
const BY_GET: ReadonlySet<SessionTransport> = new Set(['eventsource', 'htmlfile', 'jsonp']);
/** Whether a transport has frames call a function of the page. */
const WITH_CALLBACK: ReadonlySet<SessionTransport> = new Set(['htmlfile', 'jsonp']);

/**
 * SockJS 0.3.3 on routes: whatever a browser has in place of a WebSocket, the origin gets one. Sessions of clients without WebSockets are all in one
 * process, the owner of the log.
 */
export class SockJs {
  readonly #context: SockJsContext;
  readonly #local: LocalSessions;
  readonly #receivers: ReceiverPool;
  #sessions: Sessions;

  constructor(context: SockJsContext) {
    const { limits } = context;
    this.#context = context;
    this.#local = new LocalSessions(context);
    this.#sessions = this.#local;
    this.#receivers = new ReceiverPool({
      role: 'server',
      messageBytesMax: limits.sockJsSendBytesMax,
      framesMax: limits.webSocketFramesMax,
      compression: 'none',
    });
  }

  /** Another process: every worker for the owner, the owner for a worker. */
  serve(line: Line): void {
    const { metrics, limits } = this.#context;
    if (line.peer === 0) this.#sessions = new ForwardedSessions(line, metrics, limits);
    else serveSessions(line, this.#local, limits);
  }

  /** Ends all sessions. Those on WebSockets hear it from the listener. */
  drain(): void {
    this.#local.drain();
  }

  /** Answers what is below the path of SockJS, and nothing else. */
  handle(exchange: HttpExchange, hit: RouteHit, rule: SockJsRule): 'taken' | 'not_taken' {
    const { path } = hit;
    const isBelow =
      path.startsWith(rule.path) && (path.length === rule.path.length || path[rule.path.length] === '/');
    if (!isBelow) return 'not_taken';
    const asked = parseSockJsPath(path.slice(rule.path.length));
    const isHandshake = isWebSocketHandshake(exchange.request);
    switch (asked.kind) {
      case 'websocket':
      case 'raw_websocket':
        if (!isHandshake) this.#refusePlain(exchange);
        else if (asked.kind === 'websocket') this.#openFramed(exchange, hit, rule);
        else this.#context.dispatch(exchange, originHit(hit.route, rule));
        break;
      case 'session':
        this.#session(exchange, hit, asked.sessionId, asked.transport);
        break;
      case 'unknown':
        exchange.respond(404, { 'content-type': TEXT }, 'There is nothing of SockJS here.\n');
        break;
      default:
        this.#show(exchange, asked.kind, hit.route, rule);
    }
    return 'taken';
  }

  #show(
    exchange: HttpExchange,
    what: 'greeting' | 'info' | 'iframe',
    { match }: Route,
    { clientUrl }: SockJsRule,
  ): void {
    const { clock, random } = this.#context;
    if (exchange.request.method !== 'HEAD' && !this.#isAllowed(exchange, 'GET')) return;
    const page = askingPage((name) => exchange.request.headers.get(name));
    if (what === 'greeting') greet(exchange);
    else if (what === 'info')
      inform(exchange, page, random, match.upgrade === 'none' ? 'impossible' : 'possible');
    else showIframe(exchange, clientUrl, clock.nowMs());
  }

  /** Answers a method that is not the one, or OPTIONS. */
  #isAllowed(exchange: HttpExchange, method: 'GET' | 'POST'): boolean {
    const { request } = exchange;
    if (request.method === method) return true;
    const methods = `OPTIONS, ${method}`;
    if (request.method === 'OPTIONS') {
      const page = askingPage((name) => request.headers.get(name));
      exchange.respond(204, preflightHeaders(page, methods, this.#context.clock.nowMs()));
    } else {
      exchange.respond(405, { allow: methods });
    }
    return false;
  }

  #refusePlain(exchange: HttpExchange): void {
    if (exchange.request.method !== 'GET') exchange.respond(405, { allow: 'GET' });
    else exchange.respond(400, { 'content-type': TEXT }, 'Can "Upgrade" only to "WebSocket".\n');
  }

  #openFramed(exchange: HttpExchange, { route }: RouteHit, rule: SockJsRule): void {
    const context = this.#context;
    const hit = originHit(route, rule);
    const { request } = exchange;
    const socket = new FramedSocket(exchange, context, this.#receivers);
    const target = hit.path + request.target.slice(request.path.length);
    context.dispatch(new HandshakeExchange(socket.origin, visitorOf(request), target, context), hit);
  }

  #session(exchange: HttpExchange, hit: RouteHit, sessionId: string, transport: SessionTransport): void {
    const { request } = exchange;
    if (!this.#isAllowed(exchange, BY_GET.has(transport) ? 'GET' : 'POST')) return;
    const isCalling = WITH_CALLBACK.has(transport);
    const callback = isCalling ? (request.query.get('c') ?? request.query.get('callback')) : null;
    if (isCalling && (callback === null || !isCallback(callback))) {
      const page = askingPage((name) => request.headers.get(name));
      const what = callback === null ? '"callback" parameter required' : 'invalid "callback" parameter';
      exchange.respond(500, liveHeaders(page, TEXT), `${what}\n`);
      return;
    }
    SentBody.read(request.body, this.#context.limits.sockJsSendBytesMax, (body) => {
      if (body instanceof TidegateError) {
        exchange.fail(body, crossOriginHeaders(askingPage((name) => request.headers.get(name))));
        return;
      }
      const search = request.target.slice(request.path.length);
      const isForm = request.headers.get('content-type')?.startsWith('application/x-www-form-urlencoded');
      this.#sessions.handle(
        {
          route: hit.route.name,
          sessionId,
          transport,
          callback,
          messages: transport === 'jsonp_send' && isForm === true ? messagesOfForm(body) : body,
          query: isCalling ? originQuery(search) : search,
          visitor: visitorOf(request),
        },
        new ExchangeAnswer(exchange),
      );
    });
  }
}
