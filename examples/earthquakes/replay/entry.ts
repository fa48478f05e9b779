import type { FeedEvent } from '../feed/index.ts';

/** An event in the form that a batch of `POST /v1/publish` has. */
export interface Entry {
  readonly channel: string;
  /** Tells the server what it has stored already, so that a retry is no second event. */
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly time: string;
  readonly data: FeedEvent['data'];
}

/**
 * The entry for one run of the replay. The id holds the run, because the same earthquake in the next run is news
 * again: with the original id alone, a server would take it for a retry for as long as it remembers ids.
 */
export function toEntry(event: FeedEvent, run: string): Entry {
  const { channel, source, type, data } = event;
  return {
    channel,
    id: `${run}.${event.id}`,
    source,
    type,
    time: new Date(event.timeMs).toISOString(),
    data,
  };
}
