// What a page needs to subscribe with the browser's own classes. The test starts subscribers by number and takes what they
// received with `take`.

const RECONNECT_MS = 100;
const received = new Map();

function logOf(number) {
  const log = { connections: 0, deliveries: [], envelopes: [], troubles: [], cursor: '' };
  received.set(number, log);
  return log;
}

const withFrom = (url, cursor) => {
  const address = new URL(url);
  if (cursor) address.searchParams.set('from', cursor);
  return address.href;
};

window.startEventSource = (number, url) => {
  const log = logOf(number);
  const connect = () => {
    const source = new EventSource(withFrom(url, log.cursor));
    source.onopen = () => log.connections++;
    source.onmessage = ({ lastEventId, data }) => {
      log.cursor = lastEventId;
      log.deliveries.push([lastEventId, data]);
    };
    source.addEventListener('gap', ({ data }) => log.troubles.push(`gap: ${data}`));
    source.onerror = () => {
      if (source.readyState === EventSource.CLOSED) setTimeout(connect, RECONNECT_MS);
    };
  };
  connect();
};

window.startWebSocket = (number, url) => {
  const log = logOf(number);
  const connect = () => {
    const socket = new WebSocket(withFrom(url, log.cursor));
    socket.onopen = () => log.connections++;
    socket.onmessage = ({ data }) => {
      log.cursor = JSON.parse(data).cursor ?? log.cursor;
      log.envelopes.push(data);
    };
    socket.onclose = () => setTimeout(connect, RECONNECT_MS);
  };
  connect();
};

/** All that came since the last call, by the numbers of the subscribers. */
window.take = () =>
  [...received].map(([number, log]) => ({
    number,
    connections: log.connections,
    deliveries: log.deliveries.splice(0),
    envelopes: log.envelopes.splice(0),
    troubles: log.troubles.splice(0),
  }));
