import { EventSource } from 'eventsource';
import { type Client, RECONNECT_MS, subscriptionUrl } from './client.ts';

/** npm `eventsource`, which connects again by itself and sends Last-Event-ID. */
export const eventsourceClient: Client = (subscription) => {
  const { record, pattern } = subscription;
  let source: EventSource;
  let timer: NodeJS.Timeout | undefined;
  const connect = (): void => {
    source = new EventSource(subscriptionUrl(subscription));
    source.onopen = () => record.connected();
    source.onmessage = ({ lastEventId, data }) =>
      record.delivered({ cursor: lastEventId, channel: pattern, data: data as string });
    source.addEventListener('gap', ({ data }) => record.trouble(`gap: ${data}`));
    source.onerror = () => {
      // It gives up on an answer that is an error, such as 503 from a server that drains.
      if (source.readyState === EventSource.CLOSED) timer = setTimeout(connect, RECONNECT_MS);
    };
  };
  connect();
  return {
    close: () => {
      clearTimeout(timer);
      source.close();
    },
  };
};
