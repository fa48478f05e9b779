import type { Feed } from './feed-event.ts';
import { readFlights } from './flights.ts';
import { readQuakes } from './quakes.ts';
import { readStocks } from './stocks.ts';

export type { Feed, FeedEvent } from './feed-event.ts';
export { regionOf } from './region.ts';

const READERS = { quakes: readQuakes, stocks: readStocks, flights: readFlights };

export type FeedName = keyof typeof READERS;

export const FEED_NAMES = Object.keys(READERS) as readonly FeedName[];

export async function readFeeds(names: readonly FeedName[]): Promise<readonly Feed[]> {
  return Promise.all(names.map((name) => READERS[name]()));
}
