import { createHash } from 'node:crypto';
import type { Random } from '../../kernel/index.ts';
import type { HttpExchange } from '../../listeners/port.ts';
import { iframePage } from '../../wire/sockjs/index.ts';
import { type AskingPage, lastingHeaders, liveHeaders } from './answer-headers.ts';

/** What shows a person that the address is right. */
export function greet(exchange: HttpExchange): void {
  exchange.respond(200, { 'content-type': 'text/plain; charset=UTF-8' }, 'Welcome to SockJS!\n');
}

/**
 * What a client asks before anything else: what the server can do, and a number that it cannot guess.
 * @param websocket whether WebSockets come to the route
 */
export function inform(
  exchange: HttpExchange,
  page: AskingPage,
  random: Random,
  websocket: 'possible' | 'impossible',
): void {
  const info = {
    websocket: websocket === 'possible',
    origins: ['*:*'],
    cookie_needed: false,
    entropy: random.uint32(),
  };
  exchange.respond(200, liveHeaders(page, 'application/json; charset=UTF-8'), JSON.stringify(info));
}

/** @param clientUrl where pages load the client library from */
export function showIframe(exchange: HttpExchange, clientUrl: string, nowMs: number): void {
  const html = iframePage(clientUrl);
  const etag = `"${createHash('sha256').update(html).digest('base64url')}"`;
  const headers = { ...lastingHeaders(nowMs), etag };
  if (exchange.request.headers.get('if-none-match') === etag) exchange.respond(304, headers);
  else exchange.respond(200, { ...headers, 'content-type': 'text/html; charset=UTF-8' }, html);
}
