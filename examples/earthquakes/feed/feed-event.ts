/** One event of a feed, as `POST /v1/publish` takes it, but for the parts that the replay adds. */
export interface FeedEvent {
  readonly channel: string;
  /** Unique within the feed, and the same every time the feed is read. */
  readonly id: string;
  readonly source: string;
  readonly type: string;
  /** When the original event happened. */
  readonly timeMs: number;
  readonly data: Readonly<Record<string, unknown>>;
}

/** The events of one data set in the order of their times. */
export interface Feed {
  readonly name: string;
  readonly events: readonly FeedEvent[];
}

/** Orders events by time. Events of one moment keep the order of the data set. */
export function inTimeOrder(events: readonly FeedEvent[]): readonly FeedEvent[] {
  return events.toSorted((first, second) => first.timeMs - second.timeMs);
}
