/** How a browser that has no WebSocket hears of its session. */
export type ReceivingTransport = 'xhr' | 'xhr_streaming' | 'eventsource' | 'htmlfile' | 'jsonp';

/** How it sends. */
export type SendingTransport = 'xhr_send' | 'jsonp_send';

export type SessionTransport = ReceivingTransport | SendingTransport;

/** What a path below the one of SockJS stands for. */
export type SockJsPath =
  | { readonly kind: 'greeting' | 'info' | 'iframe' | 'raw_websocket' | 'websocket' | 'unknown' }
  | { readonly kind: 'session'; readonly sessionId: string; readonly transport: SessionTransport };

const IFRAME = /^\/iframe[0-9a-z._-]*\.html$/;
/** Server, session, transport. The first is for load balancers; none of the two is empty or has a dot. */
const SESSION = /^\/[^/.]+\/([^/.]+)\/([a-z_]+)$/;

const TRANSPORTS: ReadonlySet<string> = new Set<SessionTransport>([
  'xhr',
  'xhr_streaming',
  'eventsource',
  'htmlfile',
  'jsonp',
  'xhr_send',
  'jsonp_send',
]);

/** @param rest what stands behind the path of SockJS: empty, or beginning with a slash */
export function parseSockJsPath(rest: string): SockJsPath {
  if (rest === '' || rest === '/') return { kind: 'greeting' };
  if (rest === '/info') return { kind: 'info' };
  if (rest === '/websocket') return { kind: 'raw_websocket' };
  if (IFRAME.test(rest)) return { kind: 'iframe' };
  const [, sessionId, transport] = SESSION.exec(rest) ?? [];
  if (transport === 'websocket') return { kind: 'websocket' };
  return TRANSPORTS.has(transport)
    ? { kind: 'session', sessionId, transport: transport as SessionTransport }
    : { kind: 'unknown' };
}
