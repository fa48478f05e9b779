import { setTimeout as delay } from 'node:timers/promises';
import { type Client, RECONNECT_MS, subscriptionUrl } from './client.ts';

interface Page {
  readonly messages: readonly unknown[];
  readonly next: string;
}

/** `fetch` that asks for the next messages from where the last answer ended. */
export const longPollClient: Client = (subscription) => {
  const { record } = subscription;
  const stop = new AbortController();
  let next = '';
  const poll = async (): Promise<void> => {
    const url = new URL(subscriptionUrl(subscription, { wait: '10', max: '100' }));
    if (next !== '') url.searchParams.set('from', next);
    const response = await fetch(url, { headers: { accept: 'application/json' }, signal: stop.signal });
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    const page = (await response.json()) as Page;
    for (const message of page.messages) record.enveloped(JSON.stringify(message));
    next = page.next;
  };
  const repeat = async (): Promise<void> => {
    let lost = true;
    while (!stop.signal.aborted) {
      try {
        await poll();
        if (lost) record.connected();
        lost = false;
      } catch {
        lost = true;
        await delay(RECONNECT_MS);
      }
    }
  };
  const done = repeat();
  return {
    close: async () => {
      stop.abort();
      await done;
    },
  };
};
