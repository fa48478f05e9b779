export { type Client, type RunningClient, type Subscription, subscriptionUrl } from './client.ts';
export { curlEventStreamClient, curlLinesClient } from './curl.ts';
export { eventsourceClient } from './eventsource.ts';
export { fetchStreamClient } from './fetch-stream.ts';
export { longPollClient } from './long-poll.ts';
export { wsClient } from './ws.ts';
