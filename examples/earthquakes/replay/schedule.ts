import type { Feed, FeedEvent } from '../feed/index.ts';

/** The time that a whole replay takes at speed 1: the week in which the earthquakes were recorded. */
export const SPAN_MS = 7 * 24 * 3600 * 1000;

/** An event and its place in the replay. */
export interface ScheduledEvent {
  readonly event: FeedEvent;
  /** From 0 at the beginning to `SPAN_MS` at the end. */
  readonly positionMs: number;
}

/**
 * Puts the events of several feeds on one time line. The feeds are of different years and lengths, so each is stretched
 * over the same week; within a feed the pauses keep their proportions.
 */
export function schedule(feeds: readonly Feed[]): readonly ScheduledEvent[] {
  const scheduled = feeds.flatMap(({ events }) => {
    const firstMs = events.at(0)?.timeMs ?? 0;
    const lengthMs = (events.at(-1)?.timeMs ?? 0) - firstMs;
    const stretch = lengthMs === 0 ? 0 : SPAN_MS / lengthMs;
    return events.map((event) => ({ event, positionMs: (event.timeMs - firstMs) * stretch }));
  });
  return scheduled.toSorted((first, second) => first.positionMs - second.positionMs);
}
