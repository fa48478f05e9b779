import { type FeedName, readFeeds } from '../../../../examples/earthquakes/feed/index.ts';
import { schedule } from '../../../../examples/earthquakes/replay/index.ts';

/** What the replay publishes, one event of it. */
export interface Publication {
  readonly channel: string;
  /** The data as they are sent: JSON without spaces. */
  readonly data: string;
}

/** All that the example's replay of these feeds publishes, in its order. */
export async function publicationsOf(feeds: readonly FeedName[]): Promise<readonly Publication[]> {
  return schedule(await readFeeds(feeds)).map(({ event }) => ({
    channel: event.channel,
    data: JSON.stringify(event.data),
  }));
}

/** Those that a subscription of `pattern` is to receive: a channel, `topic/+` or `topic/#`. */
export function matching(publications: readonly Publication[], pattern: string): readonly Publication[] {
  const wildcard = /^(.*\/)[+#]$/.exec(pattern);
  // All channels of the example have two segments, so both wildcards take the same.
  return publications.filter(({ channel }) =>
    wildcard === null ? channel === pattern : channel.startsWith(wildcard[1]),
  );
}
