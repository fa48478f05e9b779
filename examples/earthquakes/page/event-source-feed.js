import { channelUrl, retryDelayMs } from './feed-state.js';

/**
 * Subscribes by Server-Sent Events. The browser itself connects again and sends the last cursor as Last-Event-ID. Only
 * where it gives up, after an answer that is an error, does the page begin anew, from the same cursor.
 *
 * @param {import('./feed-state.js').FeedOptions} options
 */
export function subscribeByEventSource({ server, channel, from, onMessage, onState, onGap }) {
  let cursor = '';
  let failures = 0;

  const connect = () => {
    const source = new EventSource(channelUrl(server, channel, { from: cursor || from }));
    source.onopen = () => {
      failures = 0;
      onState({ phase: 'live', cursor });
    };
    source.onmessage = (event) => {
      cursor = event.lastEventId;
      onMessage(JSON.parse(event.data));
    };
    source.addEventListener('gap', (event) => {
      cursor = event.lastEventId || cursor;
      onGap();
    });
    source.onerror = () => {
      onState({ phase: cursor ? 'reconnecting' : 'connecting', cursor });
      if (source.readyState === EventSource.CLOSED) setTimeout(connect, retryDelayMs(failures++));
    };
  };

  onState({ phase: 'connecting', cursor });
  connect();
}
