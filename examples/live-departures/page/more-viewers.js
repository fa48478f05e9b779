/**
 * Lets further viewers follow the same address. A browser opens no more than six connections to a host, except for WebSockets, and so these
 * are WebSockets: the gateway sends them the same patches. They stay until the page is left or the gateway is gone.
 */
export function addViewers(url, count) {
  const address = new URL(url, location.href);
  address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:';
  for (let i = 0; i < count; i++) new WebSocket(address);
}
