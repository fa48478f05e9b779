import { setTimeout as delay } from 'node:timers/promises';
import { type Client, RECONNECT_MS, subscriptionUrl } from './client.ts';
import { completeLines } from './complete-lines.ts';

/** `fetch` that reads JSON lines as they arrive; `from` is the cursor of the last line. */
export const fetchStreamClient: Client = (subscription) => {
  const { record } = subscription;
  const stop = new AbortController();
  const read = async (): Promise<void> => {
    const response = await fetch(subscriptionUrl(subscription), {
      headers: { accept: 'application/x-ndjson' },
      signal: stop.signal,
    });
    if (!response.ok || response.body === null) throw new Error(`the server answered ${response.status}`);
    record.connected();
    const take = completeLines((line) => {
      if (line !== '') record.enveloped(line);
    });
    for await (const text of response.body.pipeThrough(new TextDecoderStream())) take(text);
  };
  const repeat = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      // However a connection ends, the next one goes on from the cursor.
      await read().catch(() => {});
      await delay(RECONNECT_MS);
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
