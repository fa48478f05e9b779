import {
  type Client,
  curlEventStreamClient,
  curlLinesClient,
  eventsourceClient,
  fetchStreamClient,
  longPollClient,
  wsClient,
} from './clients/index.ts';

/** What kind of client a planned subscriber is; the last two run inside Chromium. */
export type ClientName = keyof typeof CLIENTS | 'Chromium EventSource' | 'Chromium WebSocket';

export const CLIENTS = {
  'npm eventsource': eventsourceClient,
  'npm ws': wsClient,
  'curl event stream': curlEventStreamClient,
  'curl JSON lines': curlLinesClient,
  'fetch stream': fetchStreamClient,
  'fetch long-poll': longPollClient,
} as const satisfies Record<string, Client>;

/** One of the subscribers of the test. */
export interface PlannedSubscriber {
  readonly client: ClientName;
  readonly pattern: string;
  /** Some come when half of the replay is over, and read it from the log first. */
  readonly joins: 'before' | 'half-way';
}

/** Where the client has no envelope, order across the partitions of a topic could not be judged: not for `stocks/#`. */
const PATTERNS_WITHOUT_ENVELOPE = [
  'quakes/#',
  'quakes/california',
  'stocks/GOOG',
  'flights/ORD',
  'quakes/+',
  'quakes/alaska',
  'flights/#',
  'stocks/IBM',
];
const PATTERNS_WITH_ENVELOPE = [
  'stocks/#',
  'quakes/nevada',
  'flights/#',
  'quakes/#',
  'stocks/MSFT',
  'quakes/puerto-rico',
  'stocks/+',
  'flights/DFW',
];
/** Every how manyth subscriber of a kind comes half-way. */
const HALF_WAY_EVERY = 7;

function several(
  count: number,
  client: ClientName,
  patterns: readonly string[],
): readonly PlannedSubscriber[] {
  return Array.from({ length: count }, (_, index) => ({
    client,
    pattern: patterns[index % patterns.length],
    joins: index % HALF_WAY_EVERY === HALF_WAY_EVERY - 1 ? 'half-way' : 'before',
  }));
}

/**
 * A hundred subscribers. Those in Chromium all come before: their pages are opened once.
 *
 * @param browser `without`, if there is no Chromium: their places are taken by npm's
 */
export function planSubscribers(browser: 'with' | 'without'): readonly PlannedSubscriber[] {
  const inBrowser = browser === 'with';
  const before = (subscriber: PlannedSubscriber): PlannedSubscriber => ({ ...subscriber, joins: 'before' });
  return [
    ...several(inBrowser ? 20 : 28, 'npm eventsource', PATTERNS_WITHOUT_ENVELOPE),
    ...several(inBrowser ? 22 : 30, 'npm ws', PATTERNS_WITH_ENVELOPE),
    ...several(10, 'curl event stream', PATTERNS_WITHOUT_ENVELOPE),
    ...several(8, 'curl JSON lines', PATTERNS_WITH_ENVELOPE),
    ...several(14, 'fetch stream', PATTERNS_WITH_ENVELOPE),
    ...several(10, 'fetch long-poll', PATTERNS_WITH_ENVELOPE),
    ...several(inBrowser ? 8 : 0, 'Chromium EventSource', PATTERNS_WITHOUT_ENVELOPE).map(before),
    ...several(inBrowser ? 8 : 0, 'Chromium WebSocket', PATTERNS_WITH_ENVELOPE).map(before),
  ];
}
