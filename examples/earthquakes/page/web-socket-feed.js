import { channelUrl, retryDelayMs } from './feed-state.js';

/**
 * Subscribes by WebSocket. With `envelope=json` each message brings its cursor along, which a bare frame could not, so that
 * the next connection can go on where this one ended.
 *
 * @param {import('./feed-state.js').FeedOptions} options
 */
export function subscribeByWebSocket({ server, channel, from, onMessage, onState, onGap }) {
  let cursor = '';
  let failures = 0;

  const connect = () => {
    const url = channelUrl(server.replace(/^http/, 'ws'), channel, {
      envelope: 'json',
      from: cursor || from,
    });
    const socket = new WebSocket(url);
    socket.onopen = () => {
      failures = 0;
      onState({ phase: 'live', cursor });
    };
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      cursor = message.cursor ?? message.gap?.cursor ?? cursor;
      if (message.gap) onGap();
      // A message without a channel only refreshes the cursor.
      else if (message.channel) onMessage(message.data);
    };
    socket.onclose = () => {
      onState({ phase: cursor ? 'reconnecting' : 'connecting', cursor });
      setTimeout(connect, retryDelayMs(failures++));
    };
  };

  onState({ phase: 'connecting', cursor });
  connect();
}
