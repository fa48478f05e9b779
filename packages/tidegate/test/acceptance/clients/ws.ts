import { WebSocket } from 'ws';
import { type Client, RECONNECT_MS, subscriptionUrl } from './client.ts';

/** npm `ws`, with the envelope that carries the cursor. */
export const wsClient: Client = (subscription) => {
  const { record } = subscription;
  let socket: WebSocket;
  let timer: NodeJS.Timeout | undefined;
  const connect = (): void => {
    socket = new WebSocket(subscriptionUrl(subscription, { envelope: 'json' }).replace(/^http/, 'ws'));
    socket.on('open', () => record.connected());
    socket.on('message', (text: Buffer) => record.enveloped(text.toString()));
    socket.on('close', () => {
      timer = setTimeout(connect, RECONNECT_MS);
    });
    // Followed by close.
    socket.on('error', () => {});
  };
  connect();
  return {
    close: () => {
      socket.removeAllListeners('close');
      clearTimeout(timer);
      socket.terminate();
    },
  };
};
