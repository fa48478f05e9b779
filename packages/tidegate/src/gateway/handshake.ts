import type { HttpRequest } from '../listeners/port.ts';

/** Whether a request asks for a WebSocket (RFC 6455, section 4.1), which only HTTP/1.1 has an upgrade for. */
export function isWebSocketHandshake({ headers, method, majorVersion, minorVersion }: HttpRequest): boolean {
  if (majorVersion !== 1 || minorVersion !== 1 || method !== 'GET') return false;
  const upgrade = headers.get('upgrade');
  return upgrade?.split(',').some((protocol) => protocol.trim().toLowerCase() === 'websocket') === true;
}
